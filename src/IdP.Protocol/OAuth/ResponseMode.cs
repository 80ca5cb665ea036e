namespace IdP.Protocol.OAuth;

/// <summary>How an authorization response travels: OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode.</summary>
internal static class ResponseMode
{
    public const string Query = "query";
    public const string Fragment = "fragment";
    public const string FormPost = "form_post";

    public static readonly IReadOnlyList<string> All = [Query, Fragment, FormPost];

    /// <summary>The mode of a request that names none, or one that nobody knows: a client that asked for tokens looks into the fragment.</summary>
    public static string Of(string? asked, string? responseType)
    {
        if (asked is not null && All.Contains(asked)) return asked;
        var types = responseType?.Split(' ') ?? [];
        return types.Contains("token") || types.Contains("id_token") ? Fragment : Query;
    }
}
