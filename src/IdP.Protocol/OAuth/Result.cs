using System.Diagnostics.CodeAnalysis;

namespace IdP.Protocol.OAuth;

/// <summary>A value, or the protocol error that took its place. Exceptions are for bugs and broken infrastructure.</summary>
internal readonly struct Result<T>
{
    private readonly T? _value;
    private readonly OAuthError? _error;

    private Result(T? value, OAuthError? error) => (_value, _error) = (value, error);

    public bool Failed([NotNullWhen(false)] out T? value, [NotNullWhen(true)] out OAuthError? error)
    {
        (value, error) = (_value, _error);
        return error is not null;
    }

    public static implicit operator Result<T>(T value) => new(value, null);

    /// <summary>For interface types, from which C# converts to nothing.</summary>
    public static Result<T> Of(T value) => new(value, null);

    public static implicit operator Result<T>(OAuthError error) => new(default, error);
}
