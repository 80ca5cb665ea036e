namespace IdP.Outbox;

/// <summary>
/// Owns what this server has to tell others later: an <see cref="OutboxItem"/> is written in the transaction of the change that causes it
/// (<see cref="LogoutNotices"/>, <see cref="Mail.Mailer"/>), and <see cref="OutboxSender"/> sends it when it is due, on whichever node comes first.
/// </summary>
internal static class OutboxFeature
{
    public static void AddOutbox(this IServiceCollection services)
    {
        services.AddSingleton<OutboxSender>();
        services.AddHostedService(provider => provider.GetRequiredService<OutboxSender>());
    }
}
