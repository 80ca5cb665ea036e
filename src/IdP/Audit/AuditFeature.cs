namespace IdP.Audit;

/// <summary>
/// Owns what has happened: an <see cref="AuditEvent"/> is written in the transaction of the change and never changed again.
/// <see cref="AuditSealer"/> gives committed events, a little later and on one node at a time, their number and their link in a chain of
/// hashes (<see cref="AuditChain"/>): whoever changes or takes out an event breaks it. <see cref="AuditTrail"/> reads. Where events are not kept
/// for ever, the <see cref="OldEvents"/> at the beginning of the chain go.
/// </summary>
internal static class AuditFeature
{
    public static void AddAudit(this IServiceCollection services) => services.AddHostedService<AuditSealer>();
}
