using System.Text.Json;
using System.Text.Json.Serialization;
using IdP.Ui;

namespace IdP.Logout;

/// <summary>A request to sign out on its way to the page that asks, and what it was found to be. It says where the person may go afterwards.</summary>
internal sealed record SignOutQuestion
{
    public string? ClientId { get; init; }
    public string? RedirectUri { get; init; }
    public string? State { get; init; }
    public string? Locales { get; init; }

    /// <summary>The session that the page was shown for: a click on it ends no other.</summary>
    public Guid? Session { get; init; }
    public long StartedAt { get; init; }
}

/// <summary>A sign-out that is done, on its way to the page that says so.</summary>
internal sealed record SignOutDone
{
    public string? ClientId { get; init; }
    public string? RedirectUri { get; init; }
    public string? State { get; init; }
    public string? Locales { get; init; }

    /// <summary>Whether the page leads on by itself; otherwise it offers a link.</summary>
    public bool LeadsOn { get; init; }

    /// <summary>The session that ended: its apps are told by the page.</summary>
    public Guid? Session { get; init; }
    public long StartedAt { get; init; }
}

/// <summary>Seals what travels between the pages of a sign-out. Question and answer have uses of their own: one is never taken for the other.</summary>
internal sealed class SignOutPages(BrowserSeal seal, TimeProvider clock)
{
    public const string Parameter = "continue";

    private const string QuestionUse = "idp sign-out question";
    private const string DoneUse = "idp sign-out done";
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(30);

    public string Address(HttpContext http, SignOutQuestion question) =>
        $"{PageAddresses.SignOut}?{Parameter}={Seal(http, question)}";

    public string Address(HttpContext http, SignOutDone done) =>
        $"{PageAddresses.SignedOut}?{Parameter}={seal.Seal(http, DoneUse, JsonSerializer.SerializeToUtf8Bytes(done with { StartedAt = Now }, SignOutJson.Default.SignOutDone))}";

    public string Seal(HttpContext http, SignOutQuestion question) =>
        seal.Seal(http, QuestionUse, JsonSerializer.SerializeToUtf8Bytes(question with { StartedAt = Now }, SignOutJson.Default.SignOutQuestion));

    public SignOutQuestion? OpenQuestion(HttpContext http, string? sealedText) =>
        seal.Open(http, QuestionUse, sealedText) is { } opened && JsonSerializer.Deserialize(opened, SignOutJson.Default.SignOutQuestion)! is var question && IsYoung(question.StartedAt) ? question : null;

    public SignOutDone? OpenDone(HttpContext http, string? sealedText) =>
        seal.Open(http, DoneUse, sealedText) is { } opened && JsonSerializer.Deserialize(opened, SignOutJson.Default.SignOutDone)! is var done && IsYoung(done.StartedAt) ? done : null;

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private bool IsYoung(long startedAt) => Now - startedAt < Life.TotalMilliseconds;
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(SignOutQuestion))]
[JsonSerializable(typeof(SignOutDone))]
internal sealed partial class SignOutJson : JsonSerializerContext;
