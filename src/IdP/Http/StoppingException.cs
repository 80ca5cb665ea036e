namespace IdP.Http;

/// <summary>The server stops before it comes to what was asked: 503, and another node or the next start does it.</summary>
internal sealed class StoppingException() : Exception("The server stops.");
