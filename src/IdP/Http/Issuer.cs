namespace IdP.Http;

/// <summary>The issuer identifier. It is configured; a request has no say in it.</summary>
internal sealed class Issuer
{
    public Issuer(IdpOptions options)
    {
        var value = options.Issuer ?? options.Urls.Split(';')[0];
        value = value.TrimEnd('/');
        if (!Uri.TryCreate(value, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.AbsolutePath != "/")
            throw new ConfigurationException($"Issuer is '{value}': it must be an absolute URL without path, query and fragment, such as https://login.example.com.");
        Value = value;
        IsHttps = uri.Scheme == "https";
        Host = uri.Authority;
    }

    public string Value { get; }

    public bool IsHttps { get; }

    /// <summary>The host, and the port unless it is the usual one, as people know it from the address bar.</summary>
    public string Host { get; }

    public string Url(string path) => Value + path;
}

/// <summary>A setting cannot be used; the message is the one sentence that the operator reads.</summary>
internal sealed class ConfigurationException(string message) : Exception(message);
