using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Accounts;

/// <summary>A person. The id is the <c>sub</c> of tokens; the rest are the standard claims of OpenID Connect Core §5.1.</summary>
internal sealed class User : IdentityUser<Guid>
{
    public string? Name { get; set; }
    public string? GivenName { get; set; }
    public string? FamilyName { get; set; }
    public string? MiddleName { get; set; }
    public string? Nickname { get; set; }
    public string? Profile { get; set; }
    public string? Picture { get; set; }
    public string? Website { get; set; }
    public string? Gender { get; set; }
    public string? Birthdate { get; set; }
    public string? ZoneInfo { get; set; }
    public string? Locale { get; set; }
    public string? StreetAddress { get; set; }
    public string? Locality { get; set; }
    public string? Region { get; set; }
    public string? PostalCode { get; set; }
    public string? Country { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset UpdatedAt { get; set; }
    public DateTimeOffset? DisabledAt { get; set; }

    /// <summary>The <c>sub</c>: 32 hexadecimal digits, a form that no client id may have.</summary>
    public string Subject => Id.ToString("N");

    internal sealed class Mapping : IEntityTypeConfiguration<User>
    {
        public void Configure(EntityTypeBuilder<User> builder)
        {
            builder.ToTable("Users");
            builder.Ignore(u => u.Subject);
            foreach (var property in builder.Metadata.GetProperties().Where(p => p.ClrType == typeof(string) && p.GetMaxLength() is null))
                property.SetMaxLength(property.Name is nameof(PasswordHash) or nameof(SecurityStamp) or nameof(ConcurrencyStamp) ? 512 : 256);
        }
    }
}
