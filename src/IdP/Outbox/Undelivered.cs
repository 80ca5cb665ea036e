namespace IdP.Outbox;

/// <summary>Why an attempt did not deliver, for the operator; final when another would end the same.</summary>
internal sealed record Undelivered(string Problem, bool IsFinal = false);
