"""A mail server of Debian's python3-aiosmtpd: smtp.py PORT WEB_PORT [--tls CERTIFICATE KEY] [--user NAME PASSWORD] [--refuse STATUS].

What it has taken is served as JSON at WEB_PORT, with how it came.
"""

import argparse
import json
import ssl
from http.server import BaseHTTPRequestHandler, HTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("web_port", type=int)
parser.add_argument("--tls", nargs=2)
parser.add_argument("--user", nargs=2)
parser.add_argument("--refuse")
options = parser.parse_args()
mails = []
attempts = 0


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        global attempts
        attempts += 1
        if options.refuse:
            return options.refuse + " refused"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mails.append({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "user": session.auth_data.login.decode() if session.auth_data else None,
            "text": envelope.content.decode("ascii"),
        })
        return "250 OK"


class Server(SMTP):
    async def smtp_AUTH(self, arg):
        # .NET writes "AUTH login"; this server, unlike others, knows upper case only.
        name, _, rest = (arg or "").partition(" ")
        await super().smtp_AUTH(f"{name.upper()} {rest}".strip())


class ServerController(Controller):
    def factory(self):
        return Server(self.handler, **self.SMTP_kwargs)


def authenticate(server, session, envelope, mechanism, data):
    name, password = options.user
    return AuthResult(success=data.login.decode() == name and data.password.decode() == password, auth_data=data)


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"mails": mails, "attempts": attempts}).encode())

    def log_message(self, *arguments):
        pass


settings = {}
if options.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*options.tls)
    settings.update(tls_context=context, require_starttls=True)
if options.user:
    settings.update(authenticator=authenticate, auth_required=True, auth_require_tls=bool(options.tls))
ServerController(Handler(), hostname="127.0.0.1", port=options.port, **settings).start()
HTTPServer(("127.0.0.1", options.web_port), Page).serve_forever()
