using System.Text;
using IdP.Keys;
using Microsoft.AspNetCore.DataProtection;

namespace IdP.Ui;

/// <summary>
/// What ASP.NET Core seals for pages (antiforgery tokens) goes under our own keys: sealed in the database, shared by all nodes, rotated and
/// revoked like the others, and bound to the purposes that the framework names.
/// </summary>
internal sealed class PageProtection(Sealer sealer) : IDataProtectionProvider
{
    public IDataProtector CreateProtector(string purpose) => new Protector(sealer, $"idp page {purpose.Length} {purpose}");

    private sealed class Protector(Sealer sealer, string use) : IDataProtector
    {
        // With their lengths, so that no two chains of purposes are one text.
        public IDataProtector CreateProtector(string purpose) => new Protector(sealer, $"{use} {purpose.Length} {purpose}");

        public byte[] Protect(byte[] plaintext) => Encoding.ASCII.GetBytes(sealer.Seal(KeyPurpose.SealPage, use, plaintext));

        public byte[] Unprotect(byte[] protectedData) =>
            sealer.Open(KeyPurpose.SealPage, use, Encoding.Latin1.GetString(protectedData))?.Content ??
            throw new System.Security.Cryptography.CryptographicException("The payload was not made here for this purpose.");
    }
}
