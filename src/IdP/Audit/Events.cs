using System.Text.Json;
using System.Text.Json.Serialization;

namespace IdP.Audit;

/// <summary>
/// Something that has happened, with what is worth telling of it: one type each, all of them in this file and in docs/audit.md. Members are
/// names, ids and numbers, so that a secret finds no place. Types and members are stored: they may be added, and never change.
/// </summary>
internal abstract record Event([property: JsonIgnore] string Type)
{
    /// <summary>The members as JSON; null when there are none.</summary>
    public string? Details() => JsonSerializer.Serialize(this, GetType(), EventJson.Default) is var text && text != "{}" ? text : null;
}

// Sign-in and sign-out

internal sealed record SignInSucceeded(Guid? Session, Guid? Grant, Told Method) : Event("sign_in.succeeded");

internal sealed record SignInFailed(Told Reason) : Event("sign_in.failed");

internal sealed record SignInLocked(Told Reason) : Event("sign_in.locked");

internal sealed record NetworkThrottled() : Event("sign_in.network_throttled");

internal sealed record AccountThrottled() : Event("sign_in.account_throttled");

internal sealed record SignedOutByPerson(Guid Session, Told? Client) : Event("sign_out");

internal sealed record SessionsEnded(int Count, Guid? Session) : Event("session.ended");

// People

internal sealed record UserCreated() : Event("user.created");

internal sealed record UserInvited(Told Email) : Event("user.invited");

internal sealed record UserDisabled() : Event("user.disabled");

internal sealed record UserEnabled() : Event("user.enabled");

internal sealed record UserDeleted() : Event("user.deleted");

internal sealed record UserSignedOut() : Event("user.signed_out");

internal sealed record PasswordChanged() : Event("user.password_changed");

internal sealed record EmailChangeRequested() : Event("user.email_change_requested");

internal sealed record EmailChanged() : Event("user.email_changed");

internal sealed record ProfileChanged(Told Claims) : Event("user.profile_changed");

internal sealed record DataDownloaded() : Event("user.data_downloaded");

internal sealed record RecoveryRequested() : Event("recovery.requested");

internal sealed record RecoveryCompleted() : Event("recovery.completed");

internal sealed record UpstreamLinked() : Event("user.upstream_linked");

internal sealed record UpstreamUnlinked(Told Provider) : Event("user.upstream_unlinked");

// Second factors and passkeys

internal sealed record SecondFactorAdded() : Event("second_factor.added");

internal sealed record SecondFactorRemoved() : Event("second_factor.removed");

internal sealed record SecondFactorFailed() : Event("second_factor.failed");

internal sealed record RecoveryCodeUsed() : Event("recovery_code.used");

internal sealed record RecoveryCodesMade() : Event("recovery_codes.made");

internal sealed record PasskeyAdded(Guid Passkey, Told Name) : Event("passkey.added");

internal sealed record PasskeyRenamed(Guid Passkey, Told Name) : Event("passkey.renamed");

internal sealed record PasskeyRemoved(Guid Passkey, Told Name) : Event("passkey.removed");

internal sealed record PasskeyCounterWentBack(Guid Passkey, long Stored, long Seen) : Event("passkey.counter_went_back");

// Consent, grants and tokens

internal sealed record ConsentGiven(Told Items) : Event("consent.given");

internal sealed record ConsentWithdrawn(Told Client) : Event("consent.withdrawn");

internal sealed record GrantRevoked() : Event("grant.revoked");

internal sealed record TokenRevoked() : Event("token.revoked");

internal sealed record CodeReplayed() : Event("code.replayed");

internal sealed record RefreshTokenReused() : Event("refresh_token.reused");

internal sealed record RefreshTokenFromTheFuture() : Event("refresh_token.from_the_future");

// API keys

internal sealed record ApiKeyCreated(Told Owner, Told Resource, Told Scope, Told? Client) : Event("api_key.created");

internal sealed record ApiKeyRotated(long OverlapSeconds, Told? Client) : Event("api_key.rotated");

internal sealed record ApiKeyRevoked(Told? Client) : Event("api_key.revoked");

// Clients, APIs, roles, other providers

internal sealed record ClientCreated() : Event("client.created");

internal sealed record ClientDisabled() : Event("client.disabled");

internal sealed record ClientEnabled() : Event("client.enabled");

internal sealed record ClientSecretReplaced() : Event("client.secret_replaced");

internal sealed record ResourceCreated() : Event("resource.created");

internal sealed record ResourceSecretReplaced() : Event("resource.secret_replaced");

internal sealed record ScopeCreated() : Event("scope.created");

internal sealed record PermissionCreated() : Event("permission.created");

internal sealed record PermissionDeleted() : Event("permission.deleted");

internal sealed record RoleCreated() : Event("role.created");

internal sealed record RoleDeleted() : Event("role.deleted");

internal sealed record RoleSecondFactorRequired() : Event("role.second_factor_required");

internal sealed record RolePasskeyRequired() : Event("role.passkey_required");

internal sealed record RoleSecondFactorOptional() : Event("role.second_factor_optional");

internal sealed record RolePermitted(Told Permission) : Event("role.permitted");

internal sealed record RoleForbidden(Told Permission) : Event("role.forbidden");

internal sealed record RoleAssigned(Told Role) : Event("role.assigned");

internal sealed record RoleUnassigned(Told Role) : Event("role.unassigned");

internal sealed record UpstreamCreated() : Event("upstream.created");

internal sealed record UpstreamDisabled() : Event("upstream.disabled");

internal sealed record UpstreamEnabled() : Event("upstream.enabled");

internal sealed record UpstreamRemoved() : Event("upstream.removed");

// The server

internal sealed record KeyCreated() : Event("key.created");

internal sealed record KeyRevoked() : Event("key.revoked");

internal sealed record KeysResealed(int Count) : Event("keys.resealed");

internal sealed record DatabaseBackedUp(Told MasterKey) : Event("database.backed_up");

internal sealed record DatabaseRestored(Told Tokens, Told? ApiKeys, Told? BackupOf) : Event("database.restored");

internal sealed record AuditShortened(int Days, long Before) : Event("audit.shortened");

internal sealed record MailUndelivered(Told Problem) : Event("mail.undelivered");

internal sealed record LogoutUndelivered(Told Problem) : Event("backchannel_logout.undelivered");

/// <summary>Numbers are texts too: readers of the trail have always got texts.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.WriteAsString, Converters = [typeof(Told.Json), typeof(Told.IdJson)])]
[JsonSerializable(typeof(SignInSucceeded))]
[JsonSerializable(typeof(SignInFailed))]
[JsonSerializable(typeof(SignInLocked))]
[JsonSerializable(typeof(NetworkThrottled))]
[JsonSerializable(typeof(AccountThrottled))]
[JsonSerializable(typeof(SignedOutByPerson))]
[JsonSerializable(typeof(SessionsEnded))]
[JsonSerializable(typeof(UserCreated))]
[JsonSerializable(typeof(UserInvited))]
[JsonSerializable(typeof(UserDisabled))]
[JsonSerializable(typeof(UserEnabled))]
[JsonSerializable(typeof(UserDeleted))]
[JsonSerializable(typeof(UserSignedOut))]
[JsonSerializable(typeof(PasswordChanged))]
[JsonSerializable(typeof(EmailChangeRequested))]
[JsonSerializable(typeof(EmailChanged))]
[JsonSerializable(typeof(ProfileChanged))]
[JsonSerializable(typeof(DataDownloaded))]
[JsonSerializable(typeof(RecoveryRequested))]
[JsonSerializable(typeof(RecoveryCompleted))]
[JsonSerializable(typeof(UpstreamLinked))]
[JsonSerializable(typeof(UpstreamUnlinked))]
[JsonSerializable(typeof(SecondFactorAdded))]
[JsonSerializable(typeof(SecondFactorRemoved))]
[JsonSerializable(typeof(SecondFactorFailed))]
[JsonSerializable(typeof(RecoveryCodeUsed))]
[JsonSerializable(typeof(RecoveryCodesMade))]
[JsonSerializable(typeof(PasskeyAdded))]
[JsonSerializable(typeof(PasskeyRenamed))]
[JsonSerializable(typeof(PasskeyRemoved))]
[JsonSerializable(typeof(PasskeyCounterWentBack))]
[JsonSerializable(typeof(ConsentGiven))]
[JsonSerializable(typeof(ConsentWithdrawn))]
[JsonSerializable(typeof(GrantRevoked))]
[JsonSerializable(typeof(TokenRevoked))]
[JsonSerializable(typeof(CodeReplayed))]
[JsonSerializable(typeof(RefreshTokenReused))]
[JsonSerializable(typeof(RefreshTokenFromTheFuture))]
[JsonSerializable(typeof(ApiKeyCreated))]
[JsonSerializable(typeof(ApiKeyRotated))]
[JsonSerializable(typeof(ApiKeyRevoked))]
[JsonSerializable(typeof(ClientCreated))]
[JsonSerializable(typeof(ClientDisabled))]
[JsonSerializable(typeof(ClientEnabled))]
[JsonSerializable(typeof(ClientSecretReplaced))]
[JsonSerializable(typeof(ResourceCreated))]
[JsonSerializable(typeof(ResourceSecretReplaced))]
[JsonSerializable(typeof(ScopeCreated))]
[JsonSerializable(typeof(PermissionCreated))]
[JsonSerializable(typeof(PermissionDeleted))]
[JsonSerializable(typeof(RoleCreated))]
[JsonSerializable(typeof(RoleDeleted))]
[JsonSerializable(typeof(RoleSecondFactorRequired))]
[JsonSerializable(typeof(RolePasskeyRequired))]
[JsonSerializable(typeof(RoleSecondFactorOptional))]
[JsonSerializable(typeof(RolePermitted))]
[JsonSerializable(typeof(RoleForbidden))]
[JsonSerializable(typeof(RoleAssigned))]
[JsonSerializable(typeof(RoleUnassigned))]
[JsonSerializable(typeof(UpstreamCreated))]
[JsonSerializable(typeof(UpstreamDisabled))]
[JsonSerializable(typeof(UpstreamEnabled))]
[JsonSerializable(typeof(UpstreamRemoved))]
[JsonSerializable(typeof(KeyCreated))]
[JsonSerializable(typeof(KeyRevoked))]
[JsonSerializable(typeof(KeysResealed))]
[JsonSerializable(typeof(DatabaseBackedUp))]
[JsonSerializable(typeof(DatabaseRestored))]
[JsonSerializable(typeof(AuditShortened))]
[JsonSerializable(typeof(MailUndelivered))]
[JsonSerializable(typeof(LogoutUndelivered))]
internal sealed partial class EventJson : JsonSerializerContext;
