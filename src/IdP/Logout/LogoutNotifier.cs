using IdP.Clients;
using IdP.Http;
using IdP.Outbox;

namespace IdP.Logout;

/// <summary>Tells one app that a session has ended (Back-Channel Logout §2.5).</summary>
internal sealed class LogoutNotifier(ClientDirectory clients, LogoutTokens tokens, IHttpClientFactory outbound)
{
    /// <summary>Null when the app has been told, or is not to be told any more; else what went wrong.</summary>
    public async Task<string?> Tell(OutboxItem item, CancellationToken ct)
    {
        var notice = LogoutNotices.Read(item);
        if (await clients.Find(notice.ClientId, ct) is not { IsDisabled: false } client) return null;
        using var form = new FormUrlEncodedContent([new("logout_token", tokens.Make(client, notice))]);
        using var request = new HttpRequestMessage(HttpMethod.Post, item.Target) { Content = form };
        try
        {
            // Only the status counts: whatever else comes is not read.
            using var response = await outbound.CreateClient(Outbound.Client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            // Back-Channel Logout §2.8: 200; 204 is what some frameworks make of it.
            return response.IsSuccessStatusCode ? null : $"it answered {(int)response.StatusCode}";
        }
        catch (HttpRequestException failure)
        {
            return failure.InnerException is ForbiddenAddressException forbidden ? forbidden.Message : $"it cannot be reached ({failure.HttpRequestError})";
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return $"it did not answer within {Outbound.Timeout.TotalSeconds:0} s";
        }
    }
}
