"""Signs in the users that the generated requests are made as."""

import itertools
import json
import os
import urllib.error
import urllib.request

import schemathesis

REGISTER, LOGIN = os.environ["REGISTER"], os.environ["LOGIN"]
SECRET = os.environ["INTROSPECTION_SECRET"]
PASSWORD = "correct horse battery staple"
number = itertools.count()


def ask(method, url, body=None, token=None):
    """Give the status and the decoded answer of one request."""
    request = urllib.request.Request(url, method=method, headers={"Content-Type": "application/json"})
    if body is not None:
        request.data = json.dumps(body).encode()
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as e:
        return e.code, {}


class SignedIn:
    """A user whose token is good when a request is made: some requests end sessions, some delete the user."""

    token = None

    def get(self, case, context):
        if case.operation.path == "/token/introspect":
            return SECRET
        if self.token is None or ask("GET", LOGIN + "/me", token=self.token)[0] != 200:
            user = {"username": f"user-{os.getpid()}-{next(number)}", "password": PASSWORD}
            status, _ = ask("POST", REGISTER + "/register", user)
            assert status == 200, f"a user cannot be registered: {status}"
            _, tokens = ask("POST", LOGIN + "/login", user)
            self.token = tokens["access_token"]
        return self.token

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = "Bearer " + data


schemathesis.auth(refresh_interval=None)(SignedIn)
