using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using IdP.Accounts;
using IdP.Audit;
using IdP.Passkeys;
using IdP.Sessions;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Passkeys;

/// <summary>WebAuthn §7.1, and what people do with the passkeys that they have.</summary>
public sealed class Registering(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;
    private readonly VirtualAuthenticator _authenticator = new(fixture.Server.Issuer);

    [Fact]
    public async Task A_passkey_is_added_renamed_and_removed_and_each_is_noted()
    {
        var user = await NewUser();
        using var browser = new Browser(_server);
        var added = await browser.Follow(await browser.Add(_authenticator, new VirtualPasskey(), "Blue <key>", user: user.UserName!));
        FrontChannel.IsPage(added, "id=\"notice\"");
        Assert.Contains("Blue &lt;key&gt;", added.Body, StringComparison.Ordinal);
        var id = Assert.Single(await Of(user)).Id;

        var renamed = await browser.Follow(await browser.Submit(added, $"{PasskeyPages.Account}?handler=Rename", ("passkey", id.ToString()), ("name", " Red key ")));
        Assert.Contains("<bdi>Red key</bdi>", renamed.Body, StringComparison.Ordinal);
        foreach (var name in (string[])["", "   ", new string('x', 65), "a\nb", "a\u202eb"])
            FrontChannel.IsPage(await browser.Submit(renamed, $"{PasskeyPages.Account}?handler=Rename", ("passkey", id.ToString()), ("name", name)), "id=\"problem\"", status: 400);

        var removed = await browser.Follow(await browser.Submit(renamed, $"{PasskeyPages.Account}?handler=Remove", ("passkey", id.ToString())));
        FrontChannel.IsPage(removed, "id=\"passkeys-none\"");
        FrontChannel.IsPage(await browser.Submit(removed, $"{PasskeyPages.Account}?handler=Remove", ("passkey", id.ToString())), "id=\"problem\"", status: 400);
        // The owner is told by mail, with the way to the page.
        Assert.Equal("A passkey was added to your account at " + new Uri(_server.Issuer).Authority, (await _server.Mail(user.Email!)).Subject);
        Assert.Equal(_server.Issuer + PasskeyPages.Account, (await _server.Mail(user.Email!, 2)).Link);
        await using var db = _server.Database.OpenForReading();
        var subject = $"user:{user.Subject}";
        Assert.Equal(["passkey.added", "passkey.renamed", "passkey.removed"],
            await db.Set<AuditEvent>().Where(e => e.Target == subject && e.Type.StartsWith("passkey.")).OrderBy(e => e.At).ThenBy(e => e.Id).Select(e => e.Type).ToListAsync());
    }

    [Fact]
    public async Task The_browser_is_asked_for_what_a_sign_in_needs_and_not_for_one_that_is_there()
    {
        var user = await NewUser();
        var passkey = await _server.Register(_authenticator, user.UserName!);
        using var browser = new Browser(_server);
        var options = JsonNode.Parse(await browser.Options(await browser.OpenPasskeys(user.UserName!), PasskeyPages.Account))!;

        Assert.Equal("localhost", options["rp"]!["id"]!.GetValue<string>());
        Assert.Equal(user.UserName, options["user"]!["name"]!.GetValue<string>());
        Assert.Equal([-7, -257], options["pubKeyCredParams"]!.AsArray().Select(one => one!["alg"]!.GetValue<int>()));
        Assert.Equal("none", options["attestation"]!.GetValue<string>());
        Assert.Equal("required", options["authenticatorSelection"]!["residentKey"]!.GetValue<string>());
        Assert.Equal("required", options["authenticatorSelection"]!["userVerification"]!.GetValue<string>());
        Assert.Equal(System.Buffers.Text.Base64Url.EncodeToString(passkey.Id), Assert.Single(options["excludeCredentials"]!.AsArray())!["id"]!.GetValue<string>());
    }

    [Fact]
    [Trait("Case", "MFA-07")]
    public async Task A_sign_in_of_more_than_five_minutes_ago_changes_nothing()
    {
        var user = await NewUser();
        await _server.Register(_authenticator, user.UserName!);
        using var browser = new Browser(_server);
        var page = await browser.OpenPasskeys(user.UserName!);
        var answer = _authenticator.Create(await browser.Options(page, PasskeyPages.Account), new VirtualPasskey());
        var id = Assert.Single(await Of(user)).Id.ToString();
        _server.Clock.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));

        Assert.Equal(303, (await browser.Submit(page, $"{PasskeyPages.Account}?handler=Options")).Status);
        foreach (var handler in (string[])["", "?handler=Rename", "?handler=Remove"])
            FrontChannel.IsSignIn(await browser.Follow(await browser.Submit(page, PasskeyPages.Account + handler, ("credential", answer), ("passkey", id), ("name", "Other"))));
        Assert.Equal("Key", Assert.Single(await Of(user)).Name);
        // The page is shown all the same, and leads to a sign-in and back.
        var stale = await browser.Get(PasskeyPages.Account);
        FrontChannel.IsPage(stale, "id=\"passkeys-unlock\"");
        Assert.DoesNotContain("handler=Remove", stale.Body, StringComparison.Ordinal);
        var signIn = await browser.Follow(await browser.Submit(stale, $"{PasskeyPages.Account}?handler=Unlock"));
        FrontChannel.IsSignIn(signIn);
        FrontChannel.IsPage(await browser.SignIn(signIn, user.UserName!), "id=\"passkey-form\"");
    }

    [Fact]
    [Trait("Case", "PSK-07")]
    public async Task A_passkey_belongs_to_one_account_for_ever()
    {
        var passkey = new VirtualPasskey();
        using var browser = new Browser(_server);
        Assert.Equal($"{PasskeyPages.Account}?done=passkey-added", (await browser.Add(_authenticator, passkey)).Location);
        using var bob = new Browser(_server);
        Refused(await bob.Add(_authenticator, passkey, user: "bob"));
        // Nor by its owner once more.
        Refused(await browser.Add(_authenticator, passkey));
        await using var db = _server.Database.OpenForReading();
        Assert.Equal(1, await db.Set<Passkey>().CountAsync(p => p.CredentialId == passkey.Id));
    }

    [Fact]
    [Trait("Case", "PSK-08")]
    public async Task Keys_that_were_not_offered_or_are_none_are_refused()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(2048);
        using var small = RSA.Create(1024);
        var good = VirtualAuthenticator.Cose(ec);
        byte[][] keys =
        [
            // ES384, ES256K, EdDSA, RS1, RS512, ES256 under RSA, PS256
            VirtualAuthenticator.Cose(p384, -35, 2), VirtualAuthenticator.Cose(ec, -47, 8), VirtualAuthenticator.Cose(ec, -8, 6), VirtualAuthenticator.Cose(rsa, -65535), VirtualAuthenticator.Cose(rsa, -259),
            VirtualAuthenticator.Cose(rsa, -7), VirtualAuthenticator.Cose(rsa, -37),
            // The right algorithm, the wrong curve; too small; not a key at all.
            VirtualAuthenticator.Cose(p384, -7, 2), VirtualAuthenticator.Cose(p384, -7, 1), VirtualAuthenticator.Cose(ec, -7, 2), VirtualAuthenticator.Cose(ec, -257), VirtualAuthenticator.Cose(small, -257),
            [], [0xa0], [0xff], good[..^1], [.. good, 0], [.. good[..^4], 0, 0, 0, 0], Enumerable.Repeat((byte)0x9f, 200).ToArray(),
        ];
        using var browser = new Browser(_server);
        foreach (var key in keys) Refused(await browser.Add(_authenticator, new VirtualPasskey(), change: c => c.CoseKey = key));
        Assert.Equal($"{PasskeyPages.Account}?done=passkey-added", (await browser.Add(_authenticator, new VirtualPasskey(), change: c => c.CoseKey = VirtualAuthenticator.Cose(rsa, -257))).Location);
    }

    [Fact]
    [Trait("Case", "PSK-09")]
    public async Task Statements_of_makers_that_nobody_asked_for_or_that_are_made_up_are_refused()
    {
        using var browser = new Browser(_server);
        var passkey = new VirtualPasskey();
        void SelfSigned(CborWriter writer, byte[] signed, int algorithm = -7, bool isRight = true)
        {
            writer.WriteStartMap(2);
            writer.WriteTextString("alg");
            writer.WriteInt32(algorithm);
            writer.WriteTextString("sig");
            writer.WriteByteString(passkey.Key.SignData(isRight ? signed : [1], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
            writer.WriteEndMap();
        }
        Action<Ceremony>[] changes =
        [
            c => (c.Format, c.Statement, c.Aaguid) = ("packed", (writer, signed) => SelfSigned(writer, signed), Guid.NewGuid().ToByteArray()),
            c => (c.Format, c.Statement) = ("packed", (writer, signed) => SelfSigned(writer, signed, isRight: false)),
            c => (c.Format, c.Statement) = ("packed", (writer, signed) => SelfSigned(writer, signed, algorithm: -257)),
            c => c.Format = "packed", c => c.Format = "fido-u2f", c => c.Format = "tpm", c => c.Format = "apple", c => c.Format = "", c => (c.Format, c.Statement) = ("none", (writer, signed) => SelfSigned(writer, signed)),
            c => (c.Format, c.Statement) = ("packed", (writer, signed) =>
            {
                writer.WriteStartMap(3);
                writer.WriteTextString("alg");
                writer.WriteInt32(-7);
                writer.WriteTextString("sig");
                writer.WriteByteString(passkey.Key.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
                writer.WriteTextString("x5c");
                writer.WriteStartArray(1);
                writer.WriteByteString([0x30, 0x00]);
                writer.WriteEndArray();
                writer.WriteEndMap();
            }),
        ];
        foreach (var change in changes) Refused(await browser.Add(_authenticator, passkey, change: change));
        // WebAuthn §5.4.7: browsers let a key through that vouches for itself and names no model.
        Assert.Equal($"{PasskeyPages.Account}?done=passkey-added", (await browser.Add(_authenticator, passkey, change: c => (c.Format, c.Statement) = ("packed", (writer, signed) => SelfSigned(writer, signed)))).Location);
    }

    [Fact]
    [Trait("Case", "PSK-03")]
    [Trait("Case", "PSK-04")]
    public async Task What_is_not_from_this_page_and_a_verified_person_is_refused()
    {
        using var browser = new Browser(_server);
        Action<Ceremony>[] changes =
        [
            c => c.Origin = "https://evil.test", c => c.RpId = "evil.test", c => c.Type = "webauthn.get", c => c.CrossOrigin = true, c => c.TopOrigin = "https://evil.test", c => c.UserPresent = false, c => c.UserVerified = false,
            c => c.Id = RandomNumberGenerator.GetBytes(32), c => c.Challenge = System.Buffers.Text.Base64Url.EncodeToString(new byte[32]),
        ];
        foreach (var change in changes) Refused(await browser.Add(_authenticator, new VirtualPasskey(), change: change));
    }

    [Fact]
    [Trait("Case", "PSK-10")]
    [Trait("Case", "PSK-11")]
    public async Task A_question_of_a_registration_is_for_one_answer_of_one_person_in_one_browser_and_ends_with_the_session()
    {
        var user = await NewUser();
        using var browser = new Browser(_server);
        var page = await browser.OpenPasskeys(user.UserName!);
        var answer = _authenticator.Create(await browser.Options(page, PasskeyPages.Account), new VirtualPasskey());
        // The same person's other browser, and somebody else's.
        foreach (var name in (string[])[user.UserName!, "bob"])
        {
            using var other = new Browser(_server);
            Refused(await other.Submit(await other.OpenPasskeys(name), PasskeyPages.Account, ("credential", answer)));
        }
        Assert.Equal(303, (await browser.Submit(page, PasskeyPages.Account, ("credential", answer))).Status);
        Refused(await browser.Submit(page, PasskeyPages.Account, ("credential", answer)));
        // A sign-in's question registers nothing.
        using var stranger = new Browser(_server);
        var signIn = await stranger.Authorize(new CodeFlow().Parameters());
        var question = JsonNode.Parse(await stranger.Options(signIn, PasskeyPages.SignIn))!;
        question["user"] = new JsonObject { ["id"] = "AAAA" };
        Refused(await browser.Submit(page, PasskeyPages.Account, ("credential", _authenticator.Create(question.ToJsonString(), new VirtualPasskey()))));
        // A new password ends the session, and with it what was asked in it.
        answer = _authenticator.Create(await browser.Options(page, PasskeyPages.Account), new VirtualPasskey());
        await _server.Change((db, _) => SessionEnd.End(db, db.Set<Session>().Where(s => s.UserId == user.Id), _server.Clock.GetUtcNow(), CancellationToken.None));
        FrontChannel.IsSignIn(await browser.Follow(await browser.Submit(page, PasskeyPages.Account, ("credential", answer))));
        Assert.Single(await Of(user));
    }

    [Fact]
    public async Task Nobody_renames_or_removes_what_is_not_theirs_and_there_is_a_most()
    {
        var user = await NewUser();
        await _server.Register(_authenticator, user.UserName!);
        var id = Assert.Single(await Of(user)).Id.ToString();
        using var bob = new Browser(_server);
        var page = await bob.OpenPasskeys("bob");
        foreach (var handler in (string[])["Rename", "Remove"])
            Assert.Equal(400, (await bob.Submit(page, $"{PasskeyPages.Account}?handler={handler}", ("passkey", id), ("name", "Bob's"))).Status);
        Assert.Equal("Key", Assert.Single(await Of(user)).Name);

        for (var i = 1; i < PasskeyStatements.Most; i++) await _server.Change(async (db, _) =>
        {
            db.Add(new Passkey { Id = Guid.CreateVersion7(), UserId = user.Id, CredentialId = RandomNumberGenerator.GetBytes(16), Name = "More", PublicKey = [1] });
            await db.SaveChangesAsync();
        });
        using var browser = new Browser(_server);
        var full = await browser.Follow(await browser.Get(PasskeyPages.Account));
        full = await browser.SignIn(full, user.UserName!);
        Assert.DoesNotContain("id=\"passkey-form\"", full.Body, StringComparison.Ordinal);
        var answer = _authenticator.Create(await browser.Options(full, PasskeyPages.Account), new VirtualPasskey());
        Refused(await browser.Submit(full, PasskeyPages.Account, ("credential", answer)));
    }

    [Fact]
    [Trait("Case", "STA-04")]
    public async Task Removing_a_passkey_ends_what_other_browsers_began_with_one()
    {
        var user = await NewUser();
        var passkey = await _server.Register(_authenticator, user.UserName!);
        using var lost = new Browser(_server);
        await lost.SignInBy(await lost.Authorize(new CodeFlow().Parameters()), _authenticator, passkey);
        using var kept = new Browser(_server);
        await kept.SignIn(await kept.Authorize(new CodeFlow().Parameters()), user.UserName!);
        using var browser = new Browser(_server);
        var page = await browser.OpenPasskeys(user.UserName!);

        await browser.Submit(page, $"{PasskeyPages.Account}?handler=Remove", ("passkey", Assert.Single(await Of(user)).Id.ToString()));

        FrontChannel.IsSignIn(await lost.Follow(await lost.Get(PasskeyPages.Account)));
        FrontChannel.IsPage(await kept.Get(PasskeyPages.Account), "id=\"passkeys-none\"");
        FrontChannel.IsPage(await browser.Get(PasskeyPages.Account), "id=\"passkeys-none\"");
    }

    [Fact]
    public async Task The_only_way_into_an_account_stays_until_there_is_another()
    {
        var user = await NewUser();
        var passkey = await _server.Register(_authenticator, user.UserName!);
        await _server.Change(async (db, _) => await db.Users.Where(u => u.Id == user.Id).ExecuteUpdateAsync(set => set.SetProperty(u => u.PasswordHash, (string?)null)));
        using var browser = new Browser(_server);
        await browser.SignInBy(await browser.Follow(await browser.Get(PasskeyPages.Account)), _authenticator, passkey);
        var page = await browser.Get(PasskeyPages.Account);
        var (remove, id) = ($"{PasskeyPages.Account}?handler=Remove", Assert.Single(await Of(user)).Id.ToString());

        var refused = await browser.Submit(page, remove, ("passkey", id));
        FrontChannel.IsPage(refused, "id=\"problem\"", status: 400);
        Assert.Contains("the only way into your account", refused.Body, StringComparison.Ordinal);
        await browser.Submit(page, PasskeyPages.Account, ("credential", _authenticator.Create(await browser.Options(page, PasskeyPages.Account), new VirtualPasskey())), ("name", "Another"));
        Assert.Equal($"{PasskeyPages.Account}?done=passkey-removed", (await browser.Submit(page, remove, ("passkey", id))).Location);
    }

    private static void Refused(PageAnswer answer)
    {
        FrontChannel.IsPage(answer, "id=\"problem\"", status: 400);
        Assert.Contains("No passkey was added.", answer.Body, StringComparison.Ordinal);
    }

    private Task<User> NewUser() => _server.AddUser($"person-{Guid.NewGuid():N}");

    private Task<List<Passkey>> Of(User user) => _server.App.Services.GetRequiredService<PasskeyStatements>().Of(user.Id, CancellationToken.None);
}
