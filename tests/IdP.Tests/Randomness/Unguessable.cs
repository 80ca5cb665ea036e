using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using IdP.Clients;
using IdP.Grants;
using IdP.Resources;
using IdP.Testing;
using IdP.Tests.Support;
using IdP.Tokens;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Xunit;
using Xunit.Abstractions;

namespace IdP.Tests.Randomness;

/// <summary>What is issued never repeats and looks like chance.</summary>
public sealed class Unguessable(SqliteServer fixture, ITestOutputHelper output) : IClassFixture<SqliteServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "TOK-16")]
    public async Task The_ids_of_JWTs_are_128_random_bits()
    {
        var (issuer, authorization) = await Prepare(TokenFormat.Jwt);
        Check(Volume.Of(output, full: 1_000_000, part: 20_000), bits: 128, () => Base64Url.DecodeFromChars(new JsonWebToken(issuer.Issue(authorization).AccessToken).Id));
    }

    [Fact]
    [Trait("Case", "TOK-16")]
    public async Task Opaque_tokens_for_the_same_thing_have_nothing_in_common_but_version_and_key()
    {
        var (issuer, authorization) = await Prepare(TokenFormat.Opaque);
        // After the version and the key's number come the salt, the sealed claims and the tag: all of it must look like chance.
        Check(Volume.Of(output, full: 1_000_000, part: 20_000), bits: 1024, () => Base64Url.DecodeFromChars(issuer.Issue(authorization).AccessToken)[9..]);
    }

    [Fact]
    [Trait("Case", "TOK-16")]
    public void Refresh_tokens_of_neighbouring_grants_and_generations_have_nothing_in_common_but_version_and_key()
    {
        var handles = _server.App.Services.GetRequiredService<Handles>();
        var (seed, generation) = (RandomNumberGenerator.GetBytes(32), 0);
        // The worst case: one grant, one seed, and generations that count up.
        Check(Volume.Of(output, full: 1_000_000, part: 20_000), bits: 400, () => Base64Url.DecodeFromChars(handles.Make(HandleKind.RefreshToken, Guid.Empty, ++generation, seed))[3..]);
    }

    [Fact]
    [Trait("Case", "TOK-16")]
    [Trait("Case", "TOK-17")]
    public async Task Of_an_opaque_token_only_the_exact_text_is_one()
    {
        await Prepare(TokenFormat.Opaque);
        var token = (await _server.ClientCredentials("unguessable-Opaque", "unguessable:Opaque")).AccessToken;
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        IEnumerable<string> others =
        [
            .. Enumerable.Range(1, token.Length - 1).Select(i => token[..i]),
            .. Enumerable.Range(0, token.Length).Select(i => token[..i] + alphabet[(alphabet.IndexOf(token[i], StringComparison.Ordinal) + 1 + (i * 11 % 62)) % 64] + token[(i + 1)..]),
            .. Enumerable.Range(0, token.Length).Where(i => char.IsLetter(token[i])).Select(i => token[..i] + (char)(token[i] ^ 0x20) + token[(i + 1)..]),
            // The last character may have bits that stand for nothing: each of its 63 neighbours is another text.
            .. alphabet.Where(c => c != token[^1]).Select(c => token[..^1] + c),
            token + "A", token + "=", token + "==", token + "-", "A" + token, token + " ", " " + token, token + "\n", token.Replace('-', '+').Replace('_', '/') + "=", token + ".", "." + token,
            token.ToUpperInvariant(), new([.. token.Reverse()]), token + token, token.Insert(20, " "), token.Insert(20, "\r\n"), token.Insert(20, "="),
        ];
        var tried = 0;
        foreach (var other in others.Where(text => text != token).Distinct(StringComparer.Ordinal))
        {
            Assert.Equal("""{"active":false}""", (await _server.Introspect(other, "unguessable-Opaque")).Body);
            tried++;
        }

        output.WriteLine($"{tried} texts");
        Assert.True((await _server.Introspect(token, "unguessable-Opaque")).Active);
    }

    /// <summary>All differ, and every bit is set in half of them, as far as chance allows.</summary>
    private static void Check(int count, int bits, Func<byte[]> make)
    {
        var seen = new HashSet<UInt128>(count);
        var set = new int[bits];
        for (var i = 0; i < count; i++)
        {
            var bytes = make();
            Assert.True(bytes.Length * 8 >= bits);
            Assert.True(seen.Add(MemoryMarshal.Read<UInt128>(SHA256.HashData(bytes))), "two are the same");
            for (var bit = 0; bit < bits; bit++) set[bit] += (bytes[bit / 8] >> (bit % 8)) & 1;
        }
        // Six standard deviations: of a thousand bits one strays that far once in a million runs.
        var limit = 6 * Math.Sqrt(count) / 2;
        for (var bit = 0; bit < bits; bit++) Assert.True(Math.Abs(set[bit] - (count / 2.0)) < limit, $"bit {bit} is set in {set[bit]} of {count}");
    }

    private async Task<(TokenIssuer, Authorization)> Prepare(TokenFormat format)
    {
        var (id, scope) = ($"unguessable-{format}", $"unguessable:{format}");
        if ((await _server.Introspect("t", id)).Status == 401)
        {
            await _server.AddResource("urn:" + scope, [scope], r => r.TokenFormat = format);
            await _server.AddClient(id, "client_credentials", scope);
        }
        var client = await _server.App.Services.GetRequiredService<ClientDirectory>().Find(id, CancellationToken.None);
        var api = _server.App.Services.GetRequiredService<ResourceCatalog>().Current.ByIdentifier("urn:" + scope);
        var authorization = new Authorization(client!, new GrantedScopes([scope], api, ["urn:" + scope]), id) { AccessTokenLifetime = TimeSpan.FromHours(1) };
        return (_server.App.Services.GetRequiredService<TokenIssuer>(), authorization);
    }
}
