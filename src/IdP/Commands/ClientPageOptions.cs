using System.CommandLine;
using IdP.Clients;
using IdP.Protocol.Jose;

namespace IdP.Commands;

/// <summary>The options of <c>client add</c> for clients whose users come here to sign in.</summary>
internal sealed class ClientPageOptions
{
    private readonly Option<string[]> _redirects = Addresses("--redirect-uri", "Address that authorization responses go to, compared character by character; repeatable");
    private readonly Option<string[]> _postLogout = Addresses("--post-logout-redirect-uri", "Address that people may go to after signing out; repeatable");
    private readonly Option<bool> _native = Switch("--native", "An app on a device: own schemes such as com.example.app:/callback, and any port of 127.0.0.1");
    private readonly Option<bool> _withoutPkce = Switch("--allow-code-without-pkce", "Let a confidential client leave PKCE out: stolen codes are then protected by its secret alone");
    private readonly Option<bool> _pushed = Switch("--require-pushed-requests", "Take authorization requests from /connect/par only");
    private readonly Option<bool> _secondFactor = Switch("--require-second-factor", "Whoever signs in to it proves a second factor, and sets one up first if there is none");
    private readonly Option<bool> _passkey = Switch("--require-passkey", "Whoever signs in to it does so with a passkey, and makes one first if there is none");
    private readonly Option<string?> _idTokens = Algorithm("--id-token-alg", "Algorithm of its ID tokens: RS256 (default), PS256 or ES256");
    private readonly Option<string?> _userInfo = Algorithm("--userinfo-alg", "Sign its userinfo answers with RS256, PS256 or ES256 (default: plain JSON)");
    private readonly Option<bool> _pairwise = Switch("--pairwise", "Give it subjects that no client of another sector knows");
    private readonly Option<string?> _sector = new("--sector") { Description = "Host that clients with the same pairwise subjects share (default: the redirect-uri's)", HelpName = "HOST" };
    private readonly Option<bool> _sessionRefresh = Switch("--session-refresh-tokens", "Give refresh tokens without offline_access; they end with the session");
    private readonly Option<string?> _logo = Address("--logo-uri", "Its logo, shown when people sign in");
    private readonly Option<string?> _policy = Address("--policy-uri", "Its privacy policy");
    private readonly Option<string?> _terms = Address("--tos-uri", "Its terms of service");
    private readonly Option<string?> _backChannel = Address("--backchannel-logout-uri", "Where it is told by the server that a session has ended");
    private readonly Option<string?> _frontChannel = Address("--frontchannel-logout-uri", "Where it is told by the browser that a session has ended");

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_redirects, _postLogout, _native, _withoutPkce, _pushed, _secondFactor, _passkey, _idTokens, _userInfo, _pairwise, _sector, _sessionRefresh, _logo, _policy, _terms, _backChannel, _frontChannel])
            command.Add(option);
    }

    public NewClient Read(ParseResult parsed, NewClient client) => client with
    {
        RedirectUris = parsed.GetValue(_redirects) ?? [],
        PostLogoutRedirectUris = parsed.GetValue(_postLogout) ?? [],
        IsNative = parsed.GetValue(_native),
        AllowCodeWithoutPkce = parsed.GetValue(_withoutPkce),
        RequiresPushedRequests = parsed.GetValue(_pushed),
        RequiresSecondFactor = parsed.GetValue(_secondFactor),
        RequiresPasskey = parsed.GetValue(_passkey),
        IdTokenAlgorithm = parsed.GetValue(_idTokens) ?? SigningAlgorithms.RS256,
        UserInfoAlgorithm = parsed.GetValue(_userInfo),
        IsPairwise = parsed.GetValue(_pairwise),
        Sector = parsed.GetValue(_sector),
        SessionRefreshTokens = parsed.GetValue(_sessionRefresh),
        LogoUri = parsed.GetValue(_logo),
        PolicyUri = parsed.GetValue(_policy),
        TermsUri = parsed.GetValue(_terms),
        BackChannelLogoutUri = parsed.GetValue(_backChannel),
        FrontChannelLogoutUri = parsed.GetValue(_frontChannel),
    };

    private static Option<string[]> Addresses(string name, string description) => new(name) { Description = description, HelpName = "URI" };

    private static Option<string?> Address(string name, string description) => new(name) { Description = description, HelpName = "URI" };

    private static Option<string?> Algorithm(string name, string description) => new(name) { Description = description, HelpName = "ALGORITHM" };

    private static Option<bool> Switch(string name, string description) => new(name) { Description = description };
}
