using System.CommandLine;
using IdP.Protocol;
using IdP.Protocol.Jose;
using IdP.Resources;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Commands;

/// <summary>resource add, list, secret.</summary>
internal static class ResourceCommands
{
    public static Command Build() => new("resource", "APIs for which access tokens are issued") { Add(), List(), Secret() };

    private static Command Add()
    {
        var uri = new Argument<string>("URI") { Description = "The identifier that tokens carry in aud, such as urn:example:api" };
        var others = new Option<string[]>("--identifier") { Description = "Another identifier of the same API, such as its URL; repeatable", HelpName = "URI" };
        var format = new Option<string>("--token-format") { Description = "jwt, which the API can check itself, or opaque, which only introspection can", HelpName = "jwt|opaque", DefaultValueFactory = _ => "jwt" };
        var algorithm = new Option<string>("--algorithm") { Description = "How its tokens are signed", HelpName = string.Join('|', [.. SigningAlgorithms.All, SharedSecretKey.Algorithm]), DefaultValueFactory = _ => SigningAlgorithms.ES256 };
        var lifetime = CommandHost.Seconds("--access-token-lifetime", "Seconds that access tokens for it live at most");
        var shared = new Option<bool>("--unsafe-shared-secret") { Description = "Allow the algorithm HS256: the API gets a secret with which it could make tokens itself" };
        var command = new Command("add", "Add a resource.\n\nExample: IdP resource add urn:example:api --identifier https://api.example") { uri, others, format, algorithm, lifetime, shared };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var asked = new NewResource([parsed.GetRequiredValue(uri), .. parsed.GetValue(others) ?? []])
            {
                TokenFormat = FormatOf(parsed.GetValue(format)!),
                Algorithm = parsed.GetValue(algorithm)!,
                AccessTokenLifetimeSeconds = parsed.GetValue(lifetime),
                AllowsSharedSecret = parsed.GetValue(shared),
            };
            var (added, secret) = await context.Change(db => context.Get<ResourceStatements>().AddResource(db, asked, CommandContext.Actor, ct));
            context.Print(View.Of(added, []) with { Secret = secret }, secret is null ? $"Added the resource {added.Identifier}." : $"Added the resource {added.Identifier}. Its secret, shown only now: {secret}");
        }, ct));
        return command;
    }

    private static Command Secret()
    {
        var uri = new Argument<string>("URI") { Description = "A resource with the algorithm HS256" };
        var command = new Command("secret", "Give an API that shares a secret another one, shown once; tokens under the old one end when the command returns.\n\nExample: IdP resource secret urn:example:legacy") { uri };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var identifier = parsed.GetRequiredValue(uri);
            var secret = await context.Change(db => context.Get<ResourceStatements>().RenewSecret(db, identifier, CommandContext.Actor, ct));
            await context.Propagate();
            context.Print(new { Identifier = identifier, Secret = secret }, $"The secret of {identifier}, shown only now: {secret}");
        }, ct));
        return command;
    }

    private static TokenFormat FormatOf(string name) => name switch
    {
        "jwt" => TokenFormat.Jwt,
        "opaque" => TokenFormat.Opaque,
        _ => throw CommandException.Usage($"The token format {PlainText.Quoted(name)} is unknown: use jwt or opaque."),
    };

    private static Command List()
    {
        var command = new Command("list", "List the resources.\n\nExample: IdP resource list");
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await using var db = context.Get<Database>().OpenForReading();
            var scopes = (await db.Set<Scope>().OrderBy(s => s.Name).ToListAsync(ct)).ToLookup(s => s.ResourceId, s => s.Name);
            var stored = await db.Set<Resource>().Include(r => r.Identifiers).OrderBy(r => r.Id).ToListAsync(ct);
            var resources = stored.ConvertAll(resource => View.Of(resource, scopes[resource.Id]));
            context.Print(resources, resources.Count == 0 ? "There are no resources." : Table.Of(
                ["IDENTIFIERS", "TOKENS", "ALGORITHM", "LIFETIME", "SCOPES"],
                resources.ConvertAll(r => new[] { string.Join(' ', r.Identifiers), r.TokenFormat, r.Algorithm, r.AccessTokenLifetime is { } s ? $"{s} s" : null, string.Join(' ', r.Scopes) })));
        }, ct));
        return command;
    }

    private sealed record View(List<string> Identifiers, string TokenFormat, string Algorithm, int? AccessTokenLifetime, List<string> Scopes, DateTimeOffset CreatedAt)
    {
        /// <summary>Of a new resource that shares one; never of one that is listed.</summary>
        [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
        public string? Secret { get; init; }

        public static View Of(Resource resource, IEnumerable<string> scopes) => new(
            resource.Identifiers.OrderBy(i => i.Position).Select(i => i.Value).ToList(), resource.TokenFormat == Resources.TokenFormat.Opaque ? "opaque" : "jwt", resource.Algorithm,
            resource.AccessTokenLifetimeSeconds, scopes.ToList(), resource.CreatedAt);
    }
}
