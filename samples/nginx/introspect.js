// What nginx's auth_request gets to hear of a request: 204, 401 or 403 with the challenge of RFC 6750; anything else becomes a 500.
export default { check };

async function check(r) {
    const realm = `Bearer realm="${r.variables.idp_audience}"`;
    const sent = r.rawHeadersIn.filter((header) => header[0].toLowerCase() === 'authorization');
    const token = sent.length === 1 && /^bearer +(\S+)$/i.exec(sent[0][1]);
    if (!token) return refuse(r, 401, realm);

    const answer = await r.subrequest('/provider', { method: 'POST', body: 'token=' + encodeURIComponent(token[1]) });
    // auth_request makes a 500 of it: any doubt is never "let in".
    if (answer.status !== 200) return r.return(503);

    const claims = JSON.parse(answer.responseText);
    const audiences = [].concat(claims.aud || []);
    // An API key is introspected like a token, but it is none.
    if (!claims.active || claims.token_type !== 'Bearer' || !audiences.includes(r.variables.idp_audience)) {
        return refuse(r, 401, `${realm}, error="invalid_token"`);
    }
    const scope = r.variables.needed_scope;
    if (!(claims.scope || '').split(' ').includes(scope)) return refuse(r, 403, `${realm}, error="insufficient_scope", scope="${scope}"`);

    r.variables.idp_subject = claims.sub;
    r.return(204);
}

function refuse(r, status, challenge) {
    r.variables.idp_challenge = challenge;
    r.return(status);
}
