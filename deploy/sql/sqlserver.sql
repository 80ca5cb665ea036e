-- Brings the database to this version of the program, whatever version it has. Made by 'IdP migrate --script'.
-- Run it so that it ends at the first failure: sqlcmd -b -I -i FILE
SET ANSI_NULLS, ANSI_PADDING, ANSI_WARNINGS, ARITHABORT, CONCAT_NULL_YIELDS_NULL, QUOTED_IDENTIFIER, XACT_ABORT ON;
SET NUMERIC_ROUNDABORT OFF;
GO

IF OBJECT_ID(N'[__EFMigrationsHistory]') IS NULL
BEGIN
    CREATE TABLE [__EFMigrationsHistory] (
        [MigrationId] nvarchar(150) NOT NULL,
        [ProductVersion] nvarchar(32) NOT NULL,
        CONSTRAINT [PK___EFMigrationsHistory] PRIMARY KEY ([MigrationId])
    );
END;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [AuditEvents] (
        [Id] binary(16) NOT NULL,
        [At] bigint NOT NULL,
        [Type] nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Actor] nvarchar(2100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Target] nvarchar(2100) COLLATE Latin1_General_100_BIN2 NULL,
        [Address] nvarchar(64) COLLATE Latin1_General_100_BIN2 NULL,
        [Details] nvarchar(max) COLLATE Latin1_General_100_BIN2 NULL,
        [UserId] binary(16) NULL,
        [Sequence] bigint NULL,
        [Hash] varbinary(32) NULL,
        CONSTRAINT [PK_AuditEvents] PRIMARY KEY ([Id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Keys] (
        [KeyId] nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Purpose] int NOT NULL,
        [Algorithm] nvarchar(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Number] int NOT NULL,
        [Sealed] varbinary(max) NOT NULL,
        [MasterKeyId] nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [CreatedAt] bigint NOT NULL,
        [ActiveFrom] bigint NOT NULL,
        [ActiveUntil] bigint NULL,
        [RevokedAt] bigint NULL,
        [Version] bigint NOT NULL,
        CONSTRAINT [PK_Keys] PRIMARY KEY ([KeyId])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Leases] (
        [Name] nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Holder] binary(16) NOT NULL,
        [ExpiresAt] bigint NOT NULL,
        CONSTRAINT [PK_Leases] PRIMARY KEY ([Name])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Outbox] (
        [Id] binary(16) NOT NULL,
        [Kind] nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Target] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Payload] nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Attempts] int NOT NULL,
        [DueAt] bigint NOT NULL,
        [CreatedAt] bigint NOT NULL,
        CONSTRAINT [PK_Outbox] PRIMARY KEY ([Id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [PasskeyChallenges] (
        [Hash] varbinary(32) NOT NULL,
        [Sealed] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [ExpiresAt] bigint NOT NULL,
        CONSTRAINT [PK_PasskeyChallenges] PRIMARY KEY ([Hash])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Resources] (
        [Id] bigint NOT NULL IDENTITY,
        [TokenFormat] int NOT NULL,
        [Algorithm] nvarchar(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [AccessTokenLifetimeSeconds] int NULL,
        [SealedSecret] nvarchar(512) COLLATE Latin1_General_100_BIN2 NULL,
        [SecretId] nvarchar(64) COLLATE Latin1_General_100_BIN2 NULL,
        [CreatedAt] bigint NOT NULL,
        [Version] bigint NOT NULL,
        CONSTRAINT [PK_Resources] PRIMARY KEY ([Id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [RevokedTokens] (
        [JwtId] nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [ExpiresAt] bigint NOT NULL,
        CONSTRAINT [PK_RevokedTokens] PRIMARY KEY ([JwtId])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Roles] (
        [Id] bigint NOT NULL IDENTITY,
        [Name] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Description] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [RequiresSecondFactor] bit NOT NULL,
        CONSTRAINT [PK_Roles] PRIMARY KEY ([Id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [ServerState] (
        [Id] int NOT NULL,
        [ChangeStamp] bigint NOT NULL,
        [ClockHighWater] bigint NOT NULL,
        CONSTRAINT [PK_ServerState] PRIMARY KEY ([Id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [SignInAttempts] (
        [Key] varbinary(32) NOT NULL,
        [Failures] int NOT NULL,
        [WindowEndsAt] bigint NOT NULL,
        CONSTRAINT [PK_SignInAttempts] PRIMARY KEY ([Key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [UpstreamProviders] (
        [Id] bigint NOT NULL IDENTITY,
        [Name] nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [DisplayName] nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Issuer] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [ClientId] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [SealedSecret] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [Scopes] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [ClaimNames] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [CreatesAccounts] bit NOT NULL,
        [CreatedAt] bigint NOT NULL,
        [DisabledAt] bigint NULL,
        [Version] bigint NOT NULL,
        CONSTRAINT [PK_UpstreamProviders] PRIMARY KEY ([Id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [UpstreamRequests] (
        [StateHash] varbinary(32) NOT NULL,
        [Sealed] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [ExpiresAt] bigint NOT NULL,
        CONSTRAINT [PK_UpstreamRequests] PRIMARY KEY ([StateHash])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Users] (
        [Id] binary(16) NOT NULL,
        [Name] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [GivenName] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [FamilyName] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [MiddleName] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [Nickname] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [Profile] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [Picture] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [Website] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [Gender] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [Birthdate] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [ZoneInfo] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [Locale] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [StreetAddress] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [Locality] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [Region] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [PostalCode] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [Country] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [CreatedAt] bigint NOT NULL,
        [UpdatedAt] bigint NOT NULL,
        [DisabledAt] bigint NULL,
        [UserName] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [NormalizedUserName] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [Email] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [NormalizedEmail] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [EmailConfirmed] bit NOT NULL,
        [PasswordHash] nvarchar(512) COLLATE Latin1_General_100_BIN2 NULL,
        [SecurityStamp] nvarchar(512) COLLATE Latin1_General_100_BIN2 NULL,
        [ConcurrencyStamp] nvarchar(512) COLLATE Latin1_General_100_BIN2 NULL,
        [PhoneNumber] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [PhoneNumberConfirmed] bit NOT NULL,
        [TwoFactorEnabled] bit NOT NULL,
        [LockoutEnd] bigint NULL,
        [LockoutEnabled] bit NOT NULL,
        [AccessFailedCount] int NOT NULL,
        CONSTRAINT [PK_Users] PRIMARY KEY ([Id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Clients] (
        [Id] bigint NOT NULL IDENTITY,
        [ClientId] nvarchar(2048) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Name] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [IsPublic] bit NOT NULL,
        [AuthenticationMethods] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [GrantTypes] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Scopes] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [DefaultScopes] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Origins] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [AllowPublicPasswordGrant] bit NOT NULL,
        [AccessTokenLifetimeSeconds] int NULL,
        [RotatesRefreshTokens] bit NULL,
        [RedirectUris] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [PostLogoutRedirectUris] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [IsNative] bit NOT NULL,
        [AllowCodeWithoutPkce] bit NOT NULL,
        [RequiresSecondFactor] bit NOT NULL,
        [RequiresPushedRequests] bit NOT NULL,
        [IdTokenAlgorithm] nvarchar(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [UserInfoAlgorithm] nvarchar(16) COLLATE Latin1_General_100_BIN2 NULL,
        [Sector] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [SessionRefreshTokens] bit NOT NULL,
        [LogoUri] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [PolicyUri] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [TermsUri] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [BackChannelLogoutUri] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [FrontChannelLogoutUri] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [ResourceId] bigint NULL,
        [Generation] bigint NOT NULL,
        [CreatedAt] bigint NOT NULL,
        [DisabledAt] bigint NULL,
        [Version] bigint NOT NULL,
        [ClientIdHash] AS CAST(HASHBYTES('SHA2_256', [ClientId]) AS binary(32)) PERSISTED,
        CONSTRAINT [PK_Clients] PRIMARY KEY ([Id]),
        CONSTRAINT [FK_Clients_Resources_ResourceId] FOREIGN KEY ([ResourceId]) REFERENCES [Resources] ([Id]) ON DELETE NO ACTION
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Permissions] (
        [Id] bigint NOT NULL IDENTITY,
        [Name] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [ResourceId] bigint NOT NULL,
        [Description] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_Permissions] PRIMARY KEY ([Id]),
        CONSTRAINT [FK_Permissions_Resources_ResourceId] FOREIGN KEY ([ResourceId]) REFERENCES [Resources] ([Id]) ON DELETE NO ACTION
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [ResourceIdentifiers] (
        [Id] bigint NOT NULL IDENTITY,
        [ResourceId] bigint NOT NULL,
        [Value] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Position] int NOT NULL,
        CONSTRAINT [PK_ResourceIdentifiers] PRIMARY KEY ([Id]),
        CONSTRAINT [FK_ResourceIdentifiers_Resources_ResourceId] FOREIGN KEY ([ResourceId]) REFERENCES [Resources] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Scopes] (
        [Id] bigint NOT NULL IDENTITY,
        [Name] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [ResourceId] bigint NOT NULL,
        [Description] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [Version] bigint NOT NULL,
        CONSTRAINT [PK_Scopes] PRIMARY KEY ([Id]),
        CONSTRAINT [FK_Scopes_Resources_ResourceId] FOREIGN KEY ([ResourceId]) REFERENCES [Resources] ([Id]) ON DELETE NO ACTION
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [AspNetUserClaims] (
        [Id] int NOT NULL IDENTITY,
        [UserId] binary(16) NOT NULL,
        [ClaimType] nvarchar(max) COLLATE Latin1_General_100_BIN2 NULL,
        [ClaimValue] nvarchar(max) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_AspNetUserClaims] PRIMARY KEY ([Id]),
        CONSTRAINT [FK_AspNetUserClaims_Users_UserId] FOREIGN KEY ([UserId]) REFERENCES [Users] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [AspNetUserLogins] (
        [LoginProvider] nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [ProviderKey] nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [ProviderDisplayName] nvarchar(max) COLLATE Latin1_General_100_BIN2 NULL,
        [UserId] binary(16) NOT NULL,
        CONSTRAINT [PK_AspNetUserLogins] PRIMARY KEY ([LoginProvider], [ProviderKey]),
        CONSTRAINT [FK_AspNetUserLogins_Users_UserId] FOREIGN KEY ([UserId]) REFERENCES [Users] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [AspNetUserTokens] (
        [UserId] binary(16) NOT NULL,
        [LoginProvider] nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Name] nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Value] nvarchar(max) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_AspNetUserTokens] PRIMARY KEY ([UserId], [LoginProvider], [Name]),
        CONSTRAINT [FK_AspNetUserTokens_Users_UserId] FOREIGN KEY ([UserId]) REFERENCES [Users] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Authenticators] (
        [UserId] binary(16) NOT NULL,
        [SealedSecret] nvarchar(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [LastStep] bigint NOT NULL,
        [CreatedAt] bigint NOT NULL,
        CONSTRAINT [PK_Authenticators] PRIMARY KEY ([UserId]),
        CONSTRAINT [FK_Authenticators_Users_UserId] FOREIGN KEY ([UserId]) REFERENCES [Users] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [MailLinks] (
        [Hash] varbinary(32) NOT NULL,
        [Purpose] int NOT NULL,
        [UserId] binary(16) NULL,
        [SecurityStamp] nvarchar(512) COLLATE Latin1_General_100_BIN2 NULL,
        [Email] nvarchar(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Continue] nvarchar(max) COLLATE Latin1_General_100_BIN2 NULL,
        [ExpiresAt] bigint NOT NULL,
        CONSTRAINT [PK_MailLinks] PRIMARY KEY ([Hash]),
        CONSTRAINT [FK_MailLinks_Users_UserId] FOREIGN KEY ([UserId]) REFERENCES [Users] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Passkeys] (
        [Id] binary(16) NOT NULL,
        [UserId] binary(16) NOT NULL,
        [CredentialId] varbinary(1023) NOT NULL,
        [Name] nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [PublicKey] varbinary(1024) NOT NULL,
        [SignCount] bigint NOT NULL,
        [Transports] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [IsBackupEligible] bit NOT NULL,
        [IsBackedUp] bit NOT NULL,
        [CreatedAt] bigint NOT NULL,
        [LastUsedAt] bigint NULL,
        CONSTRAINT [PK_Passkeys] PRIMARY KEY ([Id]),
        CONSTRAINT [FK_Passkeys_Users_UserId] FOREIGN KEY ([UserId]) REFERENCES [Users] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [RecoveryCodes] (
        [UserId] binary(16) NOT NULL,
        [Hash] varbinary(32) NOT NULL,
        CONSTRAINT [PK_RecoveryCodes] PRIMARY KEY ([UserId], [Hash]),
        CONSTRAINT [FK_RecoveryCodes_Users_UserId] FOREIGN KEY ([UserId]) REFERENCES [Users] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Sessions] (
        [Id] binary(16) NOT NULL,
        [UserId] binary(16) NOT NULL,
        [Seed] varbinary(32) NOT NULL,
        [Generation] int NOT NULL,
        [CreatedAt] bigint NOT NULL,
        [AuthenticatedAt] bigint NOT NULL,
        [Acr] nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Amr] nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [UpstreamProviderId] bigint NULL,
        [LastUsedAt] bigint NOT NULL,
        [IdleExpiresAt] bigint NOT NULL,
        [AbsoluteExpiresAt] bigint NOT NULL,
        [EndedAt] bigint NULL,
        [Address] nvarchar(64) COLLATE Latin1_General_100_BIN2 NULL,
        [Browser] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_Sessions] PRIMARY KEY ([Id]),
        CONSTRAINT [FK_Sessions_Users_UserId] FOREIGN KEY ([UserId]) REFERENCES [Users] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [UpstreamLogins] (
        [Id] binary(16) NOT NULL,
        [ProviderId] bigint NOT NULL,
        [Subject] nvarchar(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [UserId] binary(16) NOT NULL,
        [Label] nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
        [CreatedAt] bigint NOT NULL,
        [LastUsedAt] bigint NOT NULL,
        CONSTRAINT [PK_UpstreamLogins] PRIMARY KEY ([Id]),
        CONSTRAINT [FK_UpstreamLogins_UpstreamProviders_ProviderId] FOREIGN KEY ([ProviderId]) REFERENCES [UpstreamProviders] ([Id]) ON DELETE CASCADE,
        CONSTRAINT [FK_UpstreamLogins_Users_UserId] FOREIGN KEY ([UserId]) REFERENCES [Users] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [UserRoles] (
        [UserId] binary(16) NOT NULL,
        [RoleId] bigint NOT NULL,
        CONSTRAINT [PK_UserRoles] PRIMARY KEY ([UserId], [RoleId]),
        CONSTRAINT [FK_UserRoles_Roles_RoleId] FOREIGN KEY ([RoleId]) REFERENCES [Roles] ([Id]) ON DELETE CASCADE,
        CONSTRAINT [FK_UserRoles_Users_UserId] FOREIGN KEY ([UserId]) REFERENCES [Users] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [ApiKeys] (
        [Id] binary(16) NOT NULL,
        [KeyId] nvarchar(12) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [Name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [UserId] binary(16) NULL,
        [ClientKey] bigint NULL,
        [ResourceId] bigint NOT NULL,
        [Hash] varbinary(32) NOT NULL,
        [HashKeyId] nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [PreviousHash] varbinary(32) NULL,
        [PreviousHashKeyId] nvarchar(64) COLLATE Latin1_General_100_BIN2 NULL,
        [PreviousEndsAt] bigint NULL,
        [CreatedAt] bigint NOT NULL,
        [ExpiresAt] bigint NOT NULL,
        [LastUsedAt] bigint NULL,
        [RevokedAt] bigint NULL,
        CONSTRAINT [PK_ApiKeys] PRIMARY KEY ([Id]),
        CONSTRAINT [FK_ApiKeys_Clients_ClientKey] FOREIGN KEY ([ClientKey]) REFERENCES [Clients] ([Id]) ON DELETE CASCADE,
        CONSTRAINT [FK_ApiKeys_Resources_ResourceId] FOREIGN KEY ([ResourceId]) REFERENCES [Resources] ([Id]) ON DELETE CASCADE,
        CONSTRAINT [FK_ApiKeys_Users_UserId] FOREIGN KEY ([UserId]) REFERENCES [Users] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [ClientRoles] (
        [ClientKey] bigint NOT NULL,
        [RoleId] bigint NOT NULL,
        CONSTRAINT [PK_ClientRoles] PRIMARY KEY ([ClientKey], [RoleId]),
        CONSTRAINT [FK_ClientRoles_Clients_ClientKey] FOREIGN KEY ([ClientKey]) REFERENCES [Clients] ([Id]) ON DELETE CASCADE,
        CONSTRAINT [FK_ClientRoles_Roles_RoleId] FOREIGN KEY ([RoleId]) REFERENCES [Roles] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [ClientSecrets] (
        [Id] bigint NOT NULL IDENTITY,
        [ClientKey] bigint NOT NULL,
        [Hash] varbinary(32) NOT NULL,
        [KeyId] nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [CreatedAt] bigint NOT NULL,
        [ExpiresAt] bigint NULL,
        CONSTRAINT [PK_ClientSecrets] PRIMARY KEY ([Id]),
        CONSTRAINT [FK_ClientSecrets_Clients_ClientKey] FOREIGN KEY ([ClientKey]) REFERENCES [Clients] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Consents] (
        [UserId] binary(16) NOT NULL,
        [ClientKey] bigint NOT NULL,
        [Items] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [ClientDigest] varbinary(32) NOT NULL,
        [GivenAt] bigint NOT NULL,
        CONSTRAINT [PK_Consents] PRIMARY KEY ([UserId], [ClientKey]),
        CONSTRAINT [FK_Consents_Clients_ClientKey] FOREIGN KEY ([ClientKey]) REFERENCES [Clients] ([Id]) ON DELETE CASCADE,
        CONSTRAINT [FK_Consents_Users_UserId] FOREIGN KEY ([UserId]) REFERENCES [Users] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [Grants] (
        [Id] binary(16) NOT NULL,
        [State] int NOT NULL,
        [Origin] nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [ClientKey] bigint NOT NULL,
        [UserId] binary(16) NULL,
        [Scope] nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [ResourceIdentifier] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [Seed] varbinary(32) NOT NULL,
        [Generation] int NOT NULL,
        [RotatedAt] bigint NULL,
        [Retries] int NOT NULL,
        [IdleExpiresAt] bigint NULL,
        [AbsoluteExpiresAt] bigint NULL,
        [CreatedAt] bigint NOT NULL,
        [AuthenticatedAt] bigint NOT NULL,
        [SessionId] binary(16) NULL,
        [EndsWithSession] bit NOT NULL,
        [Acr] nvarchar(128) COLLATE Latin1_General_100_BIN2 NULL,
        [Amr] nvarchar(128) COLLATE Latin1_General_100_BIN2 NULL,
        [RedirectUri] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [CodeChallenge] nvarchar(43) COLLATE Latin1_General_100_BIN2 NULL,
        [Nonce] nvarchar(2048) COLLATE Latin1_General_100_BIN2 NULL,
        [Claims] nvarchar(4000) COLLATE Latin1_General_100_BIN2 NULL,
        [HandleExpiresAt] bigint NULL,
        [WrongTries] int NOT NULL,
        [Request] nvarchar(max) COLLATE Latin1_General_100_BIN2 NULL,
        [ExpiresAt] bigint NOT NULL,
        [RevokedAt] bigint NULL,
        CONSTRAINT [PK_Grants] PRIMARY KEY ([Id]),
        CONSTRAINT [FK_Grants_Clients_ClientKey] FOREIGN KEY ([ClientKey]) REFERENCES [Clients] ([Id]) ON DELETE CASCADE,
        CONSTRAINT [FK_Grants_Users_UserId] FOREIGN KEY ([UserId]) REFERENCES [Users] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [RolePermissions] (
        [RoleId] bigint NOT NULL,
        [PermissionId] bigint NOT NULL,
        CONSTRAINT [PK_RolePermissions] PRIMARY KEY ([RoleId], [PermissionId]),
        CONSTRAINT [FK_RolePermissions_Permissions_PermissionId] FOREIGN KEY ([PermissionId]) REFERENCES [Permissions] ([Id]) ON DELETE CASCADE,
        CONSTRAINT [FK_RolePermissions_Roles_RoleId] FOREIGN KEY ([RoleId]) REFERENCES [Roles] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [SessionClients] (
        [SessionId] binary(16) NOT NULL,
        [ClientKey] bigint NOT NULL,
        [FirstUsedAt] bigint NOT NULL,
        CONSTRAINT [PK_SessionClients] PRIMARY KEY ([SessionId], [ClientKey]),
        CONSTRAINT [FK_SessionClients_Clients_ClientKey] FOREIGN KEY ([ClientKey]) REFERENCES [Clients] ([Id]) ON DELETE CASCADE,
        CONSTRAINT [FK_SessionClients_Sessions_SessionId] FOREIGN KEY ([SessionId]) REFERENCES [Sessions] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE TABLE [ApiKeyScopes] (
        [ApiKeyId] binary(16) NOT NULL,
        [ScopeId] bigint NOT NULL,
        CONSTRAINT [PK_ApiKeyScopes] PRIMARY KEY ([ApiKeyId], [ScopeId]),
        CONSTRAINT [FK_ApiKeyScopes_ApiKeys_ApiKeyId] FOREIGN KEY ([ApiKeyId]) REFERENCES [ApiKeys] ([Id]) ON DELETE CASCADE,
        CONSTRAINT [FK_ApiKeyScopes_Scopes_ScopeId] FOREIGN KEY ([ScopeId]) REFERENCES [Scopes] ([Id]) ON DELETE CASCADE
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    IF EXISTS (SELECT * FROM [sys].[identity_columns] WHERE [name] IN (N'Name', N'ExpiresAt', N'Holder') AND [object_id] = OBJECT_ID(N'[Leases]'))
        SET IDENTITY_INSERT [Leases] ON;
    EXEC(N'INSERT INTO [Leases] ([Name], [ExpiresAt], [Holder])
    VALUES (N''audit-seal'', CAST(0 AS bigint), 0x00000000000000000000000000000000),
    (N''retention'', CAST(0 AS bigint), 0x00000000000000000000000000000000)');
    IF EXISTS (SELECT * FROM [sys].[identity_columns] WHERE [name] IN (N'Name', N'ExpiresAt', N'Holder') AND [object_id] = OBJECT_ID(N'[Leases]'))
        SET IDENTITY_INSERT [Leases] OFF;
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    IF EXISTS (SELECT * FROM [sys].[identity_columns] WHERE [name] IN (N'Id', N'ChangeStamp', N'ClockHighWater') AND [object_id] = OBJECT_ID(N'[ServerState]'))
        SET IDENTITY_INSERT [ServerState] ON;
    EXEC(N'INSERT INTO [ServerState] ([Id], [ChangeStamp], [ClockHighWater])
    VALUES (1, CAST(0 AS bigint), CAST(0 AS bigint))');
    IF EXISTS (SELECT * FROM [sys].[identity_columns] WHERE [name] IN (N'Id', N'ChangeStamp', N'ClockHighWater') AND [object_id] = OBJECT_ID(N'[ServerState]'))
        SET IDENTITY_INSERT [ServerState] OFF;
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_ApiKeys_ClientKey] ON [ApiKeys] ([ClientKey]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_ApiKeys_ExpiresAt] ON [ApiKeys] ([ExpiresAt]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_ApiKeys_KeyId] ON [ApiKeys] ([KeyId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_ApiKeys_ResourceId] ON [ApiKeys] ([ResourceId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_ApiKeys_UserId] ON [ApiKeys] ([UserId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_ApiKeyScopes_ScopeId] ON [ApiKeyScopes] ([ScopeId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_AspNetUserClaims_UserId] ON [AspNetUserClaims] ([UserId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_AspNetUserLogins_UserId] ON [AspNetUserLogins] ([UserId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_AuditEvents_At] ON [AuditEvents] ([At]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    EXEC(N'CREATE UNIQUE INDEX [IX_AuditEvents_Sequence] ON [AuditEvents] ([Sequence]) WHERE [Sequence] IS NOT NULL');
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_AuditEvents_UserId_Id] ON [AuditEvents] ([UserId], [Id]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_ClientRoles_RoleId] ON [ClientRoles] ([RoleId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_Clients_ClientIdHash] ON [Clients] ([ClientIdHash]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Clients_ResourceId] ON [Clients] ([ResourceId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Clients_Version] ON [Clients] ([Version]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_ClientSecrets_ClientKey] ON [ClientSecrets] ([ClientKey]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Consents_ClientKey] ON [Consents] ([ClientKey]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Grants_ClientKey] ON [Grants] ([ClientKey]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Grants_ExpiresAt] ON [Grants] ([ExpiresAt]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Grants_SessionId] ON [Grants] ([SessionId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Grants_UserId] ON [Grants] ([UserId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_Keys_Purpose_Algorithm_Number] ON [Keys] ([Purpose], [Algorithm], [Number]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Keys_Version] ON [Keys] ([Version]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_MailLinks_Email] ON [MailLinks] ([Email]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_MailLinks_ExpiresAt] ON [MailLinks] ([ExpiresAt]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_MailLinks_UserId] ON [MailLinks] ([UserId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Outbox_DueAt] ON [Outbox] ([DueAt]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_PasskeyChallenges_ExpiresAt] ON [PasskeyChallenges] ([ExpiresAt]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_Passkeys_CredentialId] ON [Passkeys] ([CredentialId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Passkeys_UserId] ON [Passkeys] ([UserId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_Permissions_Name] ON [Permissions] ([Name]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Permissions_ResourceId] ON [Permissions] ([ResourceId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_ResourceIdentifiers_ResourceId] ON [ResourceIdentifiers] ([ResourceId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_ResourceIdentifiers_Value] ON [ResourceIdentifiers] ([Value]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_RevokedTokens_ExpiresAt] ON [RevokedTokens] ([ExpiresAt]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_RolePermissions_PermissionId] ON [RolePermissions] ([PermissionId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_Roles_Name] ON [Roles] ([Name]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_Scopes_Name] ON [Scopes] ([Name]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Scopes_ResourceId] ON [Scopes] ([ResourceId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_SessionClients_ClientKey] ON [SessionClients] ([ClientKey]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Sessions_EndedAt_IdleExpiresAt] ON [Sessions] ([EndedAt], [IdleExpiresAt]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Sessions_UpstreamProviderId] ON [Sessions] ([UpstreamProviderId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_Sessions_UserId] ON [Sessions] ([UserId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_SignInAttempts_WindowEndsAt] ON [SignInAttempts] ([WindowEndsAt]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_UpstreamLogins_ProviderId_Subject] ON [UpstreamLogins] ([ProviderId], [Subject]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_UpstreamLogins_UserId] ON [UpstreamLogins] ([UserId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_UpstreamProviders_Name] ON [UpstreamProviders] ([Name]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_UpstreamRequests_ExpiresAt] ON [UpstreamRequests] ([ExpiresAt]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [IX_UserRoles_RoleId] ON [UserRoles] ([RoleId]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    CREATE INDEX [EmailIndex] ON [Users] ([NormalizedEmail]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    EXEC(N'CREATE UNIQUE INDEX [UserNameIndex] ON [Users] ([NormalizedUserName]) WHERE [NormalizedUserName] IS NOT NULL');
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126134326_Initial'
)
BEGIN
    INSERT INTO [__EFMigrationsHistory] ([MigrationId], [ProductVersion])
    VALUES (N'20261126134326_Initial', N'10.0.14');
END;

COMMIT;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126181715_FindOpenSessionsByUser'
)
BEGIN
    DROP INDEX [IX_Sessions_UserId] ON [Sessions];
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126181715_FindOpenSessionsByUser'
)
BEGIN
    CREATE INDEX [IX_Sessions_UserId_EndedAt_IdleExpiresAt] ON [Sessions] ([UserId], [EndedAt], [IdleExpiresAt]);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126181715_FindOpenSessionsByUser'
)
BEGIN
    INSERT INTO [__EFMigrationsHistory] ([MigrationId], [ProductVersion])
    VALUES (N'20261126181715_FindOpenSessionsByUser', N'10.0.14');
END;

COMMIT;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126230103_RequirePasskeys'
)
BEGIN
    ALTER TABLE [Roles] ADD [RequiresPasskey] bit NOT NULL DEFAULT CAST(0 AS bit);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126230103_RequirePasskeys'
)
BEGIN
    ALTER TABLE [Clients] ADD [RequiresPasskey] bit NOT NULL DEFAULT CAST(0 AS bit);
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261126230103_RequirePasskeys'
)
BEGIN
    INSERT INTO [__EFMigrationsHistory] ([MigrationId], [ProductVersion])
    VALUES (N'20261126230103_RequirePasskeys', N'10.0.14');
END;

COMMIT;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261127033723_AuditBeginning'
)
BEGIN
    CREATE TABLE [AuditBeginning] (
        [Id] int NOT NULL,
        [Sequence] bigint NOT NULL,
        [Hash] varbinary(32) NOT NULL,
        [ToldAt] bigint NOT NULL,
        CONSTRAINT [PK_AuditBeginning] PRIMARY KEY ([Id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261127033723_AuditBeginning'
)
BEGIN
    IF EXISTS (SELECT * FROM [sys].[identity_columns] WHERE [name] IN (N'Id', N'Hash', N'Sequence', N'ToldAt') AND [object_id] = OBJECT_ID(N'[AuditBeginning]'))
        SET IDENTITY_INSERT [AuditBeginning] ON;
    EXEC(N'INSERT INTO [AuditBeginning] ([Id], [Hash], [Sequence], [ToldAt])
    VALUES (1, 0x0000000000000000000000000000000000000000000000000000000000000000, CAST(0 AS bigint), CAST(0 AS bigint))');
    IF EXISTS (SELECT * FROM [sys].[identity_columns] WHERE [name] IN (N'Id', N'Hash', N'Sequence', N'ToldAt') AND [object_id] = OBJECT_ID(N'[AuditBeginning]'))
        SET IDENTITY_INSERT [AuditBeginning] OFF;
END;

IF NOT EXISTS (
    SELECT * FROM [__EFMigrationsHistory]
    WHERE [MigrationId] = N'20261127033723_AuditBeginning'
)
BEGIN
    INSERT INTO [__EFMigrationsHistory] ([MigrationId], [ProductVersion])
    VALUES (N'20261127033723_AuditBeginning', N'10.0.14');
END;

COMMIT;
GO
