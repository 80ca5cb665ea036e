using System.Security.Cryptography;
using IdP.Protocol.Jose;
using IdP.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace IdP.Protocol.Tests.Parity;

/// <summary>The library that most .NET code verifies with: it accepts our tokens, we accept its, and neither accepts the other's forgeries.</summary>
public sealed class MicrosoftIdentityModel
{
    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    public async Task It_verifies_a_token_of_ours_with_our_published_key(string algorithm)
    {
        var token = HostileTokens.Honest(Example.Key(algorithm), Example.Claims());
        var result = await Validate(token, algorithm);
        Assert.True(result.IsValid, result.Exception?.Message);
        Assert.Equal("demo-service", result.Claims["client_id"]);

        var tampered = token[..^8] + (token[^8] == 'A' ? 'B' : 'A') + token[^7..];
        Assert.False((await Validate(tampered, algorithm)).IsValid);
    }

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    public void We_verify_a_token_of_its_making(string algorithm)
    {
        using AsymmetricAlgorithm key = algorithm == SigningAlgorithms.ES256 ? ECDsa.Create() : RSA.Create();
        key.ImportPkcs8PrivateKey(Example.Key(algorithm).ExportPkcs8(), out _);
        Microsoft.IdentityModel.Tokens.SecurityKey security = key is ECDsa ecdsa ? new ECDsaSecurityKey(ecdsa) : new RsaSecurityKey((RSA)key);
        security.KeyId = Example.Key(algorithm).KeyId;
        security.CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false };
        var token = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            Example.Claims().ToJsonString(),
            new SigningCredentials(security, algorithm),
            new Dictionary<string, object> { ["typ"] = "at+jwt" });
        Assert.Null(Example.Verdict(token, Example.Keys()));
        Assert.NotNull(Example.Verdict(token[..^8] + (token[^8] == 'A' ? 'B' : 'A') + token[^7..], Example.Keys()));
    }

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    public void It_computes_the_same_thumbprint(string algorithm) =>
        Assert.Equal(Example.Key(algorithm).KeyId, Base64UrlEncoder.Encode(new JsonWebKey(Example.Jwk(algorithm)).ComputeJwkThumbprint()));

    private static Task<TokenValidationResult> Validate(string token, string algorithm) => new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
    {
        ValidIssuer = Example.Issuer,
        ValidAudience = Example.Audience,
        ValidTypes = ["at+jwt"],
        ValidAlgorithms = [algorithm],
        IssuerSigningKeys = new Microsoft.IdentityModel.Tokens.JsonWebKeySet($$"""{"keys":[{{Example.Jwk(algorithm)}}]}""").GetSigningKeys(),
        LifetimeValidator = (_, _, _, _) => true,
    });
}
