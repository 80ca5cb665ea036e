using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Logs;

public sealed class OneRecordARequest(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private readonly IdpServer _server = fixture.Server;

    public static TheoryData<string> Texts =>
    [
        "a\r\nInformation IdP.Http.RequestBoundary POST /connect/token 200 client=service outcome=issued", "\u001b[2J\u001b[31mred", "{\"level\":\"Error\",\"message\":\"x\"}", "\u2028\u2029\u0085", "{ClientId} {0} {@x}", "\u202egnp.exe",
        "a\tb\vc\fd", "\0", "<img src=x onerror=alert(1)>", "%0d%0aSet-Cookie:%20x", "=cmd|' /C calc'!A0",
    ];

    [Theory, MemberData(nameof(Texts))]
    [Trait("Case", "LOG-01")]
    public async Task No_text_of_a_request_makes_a_second_record_or_leaves_its_field(string text)
    {
        var lines = _server.Log.Lines.Count;
        (string, string)[] credentials = [("client_id", "app"), ("client_secret", IdpServer.Secret)];
        foreach (var form in ((string, string)[][])
            [
                [("client_id", text), ("client_secret", "x"), ("grant_type", "password")],
                [.. credentials, ("grant_type", text)],
                [.. credentials, ("grant_type", "password"), ("username", text), ("password", text), ("scope", "items:read")],
                [.. credentials, ("grant_type", "password"), ("username", "alice"), ("password", "x"), ("scope", text)],
                [.. credentials, ("grant_type", "password"), ("resource", text), ("scope", text)],
                [.. credentials, (text, "1"), (text, "2")],
            ])
        {
            var request = Invariants.Form("/connect/token", null, form);
            request.Headers.TryAddWithoutValidation("User-Agent", new string([.. text.Where(c => c is >= ' ' and < '\x7f')]));
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", "203.0.113.7\t" + new string([.. text.Where(c => c is >= ' ' and < '\x7f')]));
            // Sent checks that there is exactly one record.
            await _server.Sent(request);
        }
        // The listener itself refuses a NUL in a path.
        if (text != "\0") await _server.Sent(new HttpRequestMessage(HttpMethod.Get, "/" + Uri.EscapeDataString(text)));

        // Not only our own records: every line of every level.
        foreach (var line in _server.Log.Lines.Skip(lines)) Assert.All(line, c => Assert.True(c is >= ' ' and < '\x7f', line));
    }
}
