using IdP.Accounts;
using IdP.Clients;
using IdP.Resources;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Roles;

/// <summary>Something that may be done at one API. A role holds it, never a person directly.</summary>
internal sealed class Permission
{
    public long Id { get; set; }
    public required string Name { get; set; }
    public long ResourceId { get; set; }
    public string? Description { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<Permission>
    {
        public void Configure(EntityTypeBuilder<Permission> builder)
        {
            builder.ToTable("Permissions");
            builder.Property(p => p.Name).HasMaxLength(200);
            builder.Property(p => p.Description).HasMaxLength(1000);
            builder.HasIndex(p => p.Name).IsUnique();
            builder.HasOne<Resource>().WithMany().HasForeignKey(p => p.ResourceId).OnDelete(DeleteBehavior.Restrict);
        }
    }
}

/// <summary>How whoever holds a role has to sign in.</summary>
internal enum RoleDemand
{
    /// <summary>As each person has it.</summary>
    Nothing,

    /// <summary>With two factors.</summary>
    SecondFactor,

    /// <summary>With a passkey.</summary>
    Passkey,
}

/// <summary>A name for a set of permissions, of one API or of several. People and service clients hold roles.</summary>
internal sealed class Role
{
    public long Id { get; set; }
    public required string Name { get; set; }
    public string? Description { get; set; }

    /// <summary>Whoever holds it proves a second factor at every sign-in.</summary>
    public bool RequiresSecondFactor { get; set; }

    /// <summary>Whoever holds it signs in with a passkey: <c>amr</c> says <c>hwk</c> or <c>swk</c>.</summary>
    public bool RequiresPasskey { get; set; }

    public RoleDemand Demand => RequiresPasskey ? RoleDemand.Passkey : RequiresSecondFactor ? RoleDemand.SecondFactor : RoleDemand.Nothing;

    internal sealed class Mapping : IEntityTypeConfiguration<Role>
    {
        public void Configure(EntityTypeBuilder<Role> builder)
        {
            builder.ToTable("Roles");
            builder.Property(r => r.Name).HasMaxLength(200);
            builder.Property(r => r.Description).HasMaxLength(1000);
            builder.HasIndex(r => r.Name).IsUnique();
        }
    }
}

internal sealed class RolePermission
{
    public long RoleId { get; set; }
    public long PermissionId { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<RolePermission>
    {
        public void Configure(EntityTypeBuilder<RolePermission> builder)
        {
            builder.ToTable("RolePermissions");
            builder.HasKey(p => new { p.RoleId, p.PermissionId });
            builder.HasOne<Role>().WithMany().HasForeignKey(p => p.RoleId).OnDelete(DeleteBehavior.Cascade);
            builder.HasOne<Permission>().WithMany().HasForeignKey(p => p.PermissionId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>A role that a person holds.</summary>
internal sealed class UserRole
{
    public Guid UserId { get; set; }
    public long RoleId { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<UserRole>
    {
        public void Configure(EntityTypeBuilder<UserRole> builder)
        {
            builder.ToTable("UserRoles");
            builder.HasKey(r => new { r.UserId, r.RoleId });
            builder.HasOne<User>().WithMany().HasForeignKey(r => r.UserId).OnDelete(DeleteBehavior.Cascade);
            builder.HasOne<Role>().WithMany().HasForeignKey(r => r.RoleId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>A role that a client holds where it acts for itself.</summary>
internal sealed class ClientRole
{
    public long ClientKey { get; set; }
    public long RoleId { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<ClientRole>
    {
        public void Configure(EntityTypeBuilder<ClientRole> builder)
        {
            builder.ToTable("ClientRoles");
            builder.HasKey(r => new { r.ClientKey, r.RoleId });
            builder.HasOne<Client>().WithMany().HasForeignKey(r => r.ClientKey).OnDelete(DeleteBehavior.Cascade);
            builder.HasOne<Role>().WithMany().HasForeignKey(r => r.RoleId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
