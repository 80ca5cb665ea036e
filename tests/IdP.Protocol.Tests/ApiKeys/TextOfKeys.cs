namespace IdP.Protocol.Tests.ApiKeys;

public sealed class TextOfKeys
{
    // The checksum was computed with Python: zlib.crc32 of the first 60 characters.
    private const string Example = "idp_AAAAbbbb0123_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ4H1xec";

    [Fact]
    public void A_key_is_read_as_it_is_written()
    {
        var key = ApiKeyText.Create();
        Assert.Equal(ApiKeyText.Length, key.ToString().Length);
        Assert.True(ApiKeyText.TryParse(key.ToString(), out var read));
        Assert.Equal(key, read);
        Assert.Equal(12, key.KeyId.Length);
        Assert.Equal(49, key.Secret.Length);
    }

    [Fact]
    public void The_checksum_is_the_one_of_zip_in_base_62()
    {
        Assert.True(ApiKeyText.TryParse(Example, out var key));
        Assert.Equal("AAAAbbbb0123", key.KeyId);
    }

    [Fact]
    public void A_renewed_key_keeps_its_id_and_nothing_of_its_secret()
    {
        var key = ApiKeyText.Create();
        var renewed = key.Renewed();
        Assert.Equal(key.KeyId, renewed.KeyId);
        Assert.NotEqual(key.Secret, renewed.Secret);
        Assert.True(ApiKeyText.TryParse(renewed.ToString(), out _));
    }

    [Theory]
    [Trait("Case", "KEY-07")]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("idp_")]
    [InlineData(" " + Example)]
    [InlineData(Example + " ")]
    [InlineData(Example + "0")]
    public void Anything_else_is_no_key(string? text) => Assert.False(ApiKeyText.TryParse(text, out _));

    [Fact]
    [Trait("Case", "KEY-07")]
    public void No_character_may_change_its_case_or_value()
    {
        for (var i = 0; i < Example.Length; i++)
        {
            foreach (var other in (char[])[char.IsUpper(Example[i]) ? char.ToLowerInvariant(Example[i]) : char.ToUpperInvariant(Example[i]), '0', '-', '\0', 'é', '\uFF21'])
            {
                if (other == Example[i]) continue;
                Assert.False(ApiKeyText.TryParse(Example[..i] + other + Example[(i + 1)..], out _), $"{other} at {i}");
            }
        }
    }
}
