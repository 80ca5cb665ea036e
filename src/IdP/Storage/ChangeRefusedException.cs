namespace IdP.Storage;

internal enum RefusalReason
{
    /// <summary>What was asked for breaks a rule.</summary>
    Invalid,

    /// <summary>What it is about does not exist.</summary>
    NotFound,

    /// <summary>It exists already, or something else uses it.</summary>
    Conflict,
}

/// <summary>
/// A change by an operator cannot be made. Thrown inside its transaction, which it undoes; the message is one sentence for the person
/// who asked.
/// </summary>
internal sealed class ChangeRefusedException : Exception
{
    private ChangeRefusedException(RefusalReason reason, string message) : base(message) => Reason = reason;

    public RefusalReason Reason { get; }

    /// <summary>The same, said of one among many.</summary>
    public ChangeRefusedException In(string place) => new(Reason, $"{place}: {Message}");

    public static ChangeRefusedException Invalid(string message) => new(RefusalReason.Invalid, message);

    public static ChangeRefusedException NotFound(string message) => new(RefusalReason.NotFound, message);

    public static ChangeRefusedException Conflict(string message) => new(RefusalReason.Conflict, message);
}
