using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using IdP.Http;
using IdP.Observability;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace IdP.Accounts;

/// <summary>
/// Password hashing on a few threads of lowest priority with a bounded queue, so that a flood of sign-ins slows nothing else. A
/// caller first takes a place; when there is none the answer is 503.
/// </summary>
internal sealed partial class HashPool : IDisposable
{
    private readonly BlockingCollection<Action> _queue = [];
    private readonly PasswordHasher<User> _hasher;
    private readonly string _nobodysHash;
    private readonly int _rounds;
    private readonly int _threads;
    private readonly int _places;
    private int _taken;
    private long _endsAt = long.MaxValue;

    public HashPool(IdpOptions options)
    {
        _hasher = new PasswordHasher<User>(Options.Create(new PasswordHasherOptions
        {
            CompatibilityMode = PasswordHasherCompatibilityMode.IdentityV3,
            IterationCount = options.Passwords.Iterations,
        }));
        _rounds = options.Passwords.Iterations;
        _nobodysHash = NobodysHash(_rounds);
        _threads = options.Passwords.HashThreads > 0 ? options.Passwords.HashThreads : Environment.ProcessorCount;
        _places = _threads * (1 + Math.Max(0, options.Passwords.QueuePerThread));
        for (var i = 0; i < _threads; i++)
            new Thread(Run) { IsBackground = true, Name = $"hash-{i}" }.Start();
    }

    /// <summary>The server stops: what waits is hashed for so much longer, and then refused, so that everybody has an answer before the connections are closed.</summary>
    public void EndAfter(TimeSpan time) => Volatile.Write(ref _endsAt, Environment.TickCount64 + (long)time.TotalMilliseconds);

    private bool IsOver => Environment.TickCount64 >= Volatile.Read(ref _endsAt);

    /// <summary>A place in the queue, or null when it is full. Dispose it when done.</summary>
    public Place? TryEnter()
    {
        if (IsOver) return null;
        if (Interlocked.Increment(ref _taken) <= _places) return new Place(this);
        Interlocked.Decrement(ref _taken);
        Telemetry.HashesRefused.Add(1);
        return null;
    }

    public int Waiting => Volatile.Read(ref _taken);
    public int Places => _places;
    public int Threads => _threads;

    /// <summary>Seconds after which a place is likely to be free.</summary>
    public int RetryAfter => 1 + (_places / (_threads * 8));

    public Task<string> Hash(string password) => Enqueue(() => _hasher.HashPassword(null!, password));

    internal sealed class Place(HashPool pool) : IDisposable
    {
        /// <summary>Checks the password against the account's hash, or against nobody's at the same cost.</summary>
        public Task<PasswordVerificationResult> Verify(User? user, string password) => pool.Enqueue(() =>
        {
            var hash = user?.PasswordHash ?? pool._nobodysHash;
            var stored = StoredHash.Read(hash);
            var verified = stored?.IsImported == true ? stored.Verify(password) : pool._hasher.VerifyHashedPassword(null!, hash, password);
            if (user?.PasswordHash is not null && verified != PasswordVerificationResult.Failed) return verified;
            // A weaker hash must not tell by its speed that the account exists.
            if (stored is not null && stored.Rounds < pool._rounds) Rfc2898DeriveBytes.Pbkdf2(password, stored.Salt, pool._rounds - stored.Rounds, HashAlgorithmName.SHA512, 32);
            return PasswordVerificationResult.Failed;
        });

        /// <summary>A hash with today's parameters, made in this place.</summary>
        public Task<string> Rehash(string password) => pool.Hash(password);

        public void Dispose() => Interlocked.Decrement(ref pool._taken);
    }

    private Task<T> Enqueue<T>(Func<T> work)
    {
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var queued = Telemetry.Start(Telemetry.HashWait);
        _queue.Add(() =>
        {
            if (IsOver)
            {
                completion.SetException(new StoppingException());
                return;
            }
            Telemetry.Record(Telemetry.HashWait, queued);
            var started = Telemetry.Start(Telemetry.HashDuration);
            try
            {
                var value = work();
                Telemetry.Record(Telemetry.HashDuration, started);
                completion.SetResult(value);
            }
            catch (Exception failure)
            {
                completion.SetException(failure);
            }
        });
        return completion.Task;
    }

    /// <summary>A hash in Identity's format that no password has. It is checked for names that no account has, so that they take as long.</summary>
    private static string NobodysHash(int iterations)
    {
        const int saltLength = 16;
        var hash = new byte[13 + saltLength + 32];
        RandomNumberGenerator.Fill(hash);
        hash[0] = 1; // format version 3
        BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(1), 2); // HMAC-SHA512
        BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(5), (uint)iterations);
        BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(9), saltLength);
        return Convert.ToBase64String(hash);
    }

    private void Run()
    {
        // Thread priority is ignored on Linux; niceness is per thread there. Without it a flood starves the protocol endpoints.
        if (OperatingSystem.IsLinux()) _ = SetPriority(0, GetThreadId(), 19);
        foreach (var work in _queue.GetConsumingEnumerable()) work();
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int priority);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int GetThreadId();

    public void Dispose() => _queue.CompleteAdding();
}
