using IdP.Accounts;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Logging.Abstractions;

namespace IdP.Passkeys;

/// <summary>
/// What the framework's handler may know of one ceremony: one account and some of its passkeys, read before. It writes nothing; what comes of
/// the ceremony is written by <see cref="PasskeyStatements"/>, where single use, counter and ownership are decided by affected rows.
/// </summary>
internal sealed class PasskeyAccount(User? user, IReadOnlyList<UserPasskeyInfo> passkeys) : IUserPasskeyStore<User>
{
    /// <summary>A passkey as the framework has it. Its counter is compared where it is written, so that of two answers at once one counts.</summary>
    public static UserPasskeyInfo Info(Passkey passkey) => new(passkey.CredentialId, passkey.PublicKey, passkey.CreatedAt, signCount: 0, [.. passkey.Transports], isUserVerified: true,
        passkey.IsBackupEligible, passkey.IsBackedUp, attestationObject: [], clientDataJson: []);

    public UserManager<User> Manager() => new(this, null!, null!, [], [], null!, null!, null!, NullLogger<UserManager<User>>.Instance);

    public Task<User?> FindByIdAsync(string userId, CancellationToken cancellationToken) => Task.FromResult(user?.Subject == userId ? user : null);

    public Task<string> GetUserIdAsync(User user, CancellationToken cancellationToken) => Task.FromResult(user.Subject);

    public Task<string?> GetUserNameAsync(User user, CancellationToken cancellationToken) => Task.FromResult(user.UserName);

    public Task<IList<UserPasskeyInfo>> GetPasskeysAsync(User user, CancellationToken cancellationToken) => Task.FromResult<IList<UserPasskeyInfo>>([.. passkeys]);

    public Task<UserPasskeyInfo?> FindPasskeyAsync(User user, byte[] credentialId, CancellationToken cancellationToken) =>
        Task.FromResult(passkeys.FirstOrDefault(passkey => passkey.CredentialId.AsSpan().SequenceEqual(credentialId)));

    // Whose a new one is already is decided by the unique index.
    public Task<User?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) => Task.FromResult<User?>(null);

    public Task AddOrUpdatePasskeyAsync(User user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RemovePasskeyAsync(User user, byte[] credentialId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task SetUserNameAsync(User user, string? userName, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<string?> GetNormalizedUserNameAsync(User user, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task SetNormalizedUserNameAsync(User user, string? normalizedName, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IdentityResult> CreateAsync(User user, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IdentityResult> UpdateAsync(User user, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IdentityResult> DeleteAsync(User user, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<User?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}
