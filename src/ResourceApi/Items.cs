using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Serialization;
using IdP.TokenValidation;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ResourceApi;

/// <summary>An item and the subject of the token that created it.</summary>
internal sealed record Item(int Id, string Name, string CreatedBy);

/// <summary>The body of a request for a new item.</summary>
internal sealed record NewItem(string? Name);

/// <summary>The endpoints of items: reading needs one scope, writing another.</summary>
internal static class Items
{
    private const int LongestName = 100;

    public static void MapItems(this IEndpointRouteBuilder api)
    {
        api.MapGet("/items", (ItemStore items) => TypedResults.Ok(items.All())).RequireScope("items:read").WithSummary("Lists the items");
        api.MapGet("/items/{id:int}", Find).RequireScope("items:read").WithSummary("Shows an item");
        api.MapPost("/items", Create).RequireScope("items:write").WithSummary("Creates an item");
    }

    private static Results<Ok<Item>, NotFound> Find(int id, ItemStore items) =>
        items.Find(id) is { } item ? TypedResults.Ok(item) : TypedResults.NotFound();

    private static Results<Created<Item>, ValidationProblem, ProblemHttpResult> Create(NewItem item, ItemStore items, ClaimsPrincipal user, HttpRequest request)
    {
        var name = item.Name?.Trim();
        if (string.IsNullOrEmpty(name)) return Invalid("name", "A name is required.");
        if (name.Length > LongestName) return Invalid("name", $"A name has at most {LongestName} characters.");
        if (name.Any(char.IsControl)) return Invalid("name", "A name has no control characters.");
        return items.Add(name, user.Identity?.Name ?? "unknown") is { } created
            ? TypedResults.Created($"{request.Path}/{created.Id}", created)
            : TypedResults.Problem("There are as many items as this sample holds.", statusCode: StatusCodes.Status507InsufficientStorage);
    }

    private static ValidationProblem Invalid(string member, string problem) =>
        TypedResults.ValidationProblem(new Dictionary<string, string[]>(StringComparer.Ordinal) { [member] = [problem] });
}

/// <summary>Items in memory: enough for a sample, gone at its end.</summary>
internal sealed class ItemStore
{
    private const int Capacity = 1000;
    private readonly Lock _lock = new();
    private readonly List<Item> _items = [new(1, "a lamp", "the sample"), new(2, "a chair", "the sample"), new(3, "a table", "the sample")];
    private int _lastId = 3;

    public Item[] All()
    {
        lock (_lock) return [.. _items];
    }

    public Item? Find(int id)
    {
        lock (_lock) return _items.Find(item => item.Id == id);
    }

    public Item? Add(string name, string createdBy)
    {
        lock (_lock)
        {
            if (_items.Count == Capacity) return null;
            var item = new Item(++_lastId, name, createdBy);
            _items.Add(item);
            return item;
        }
    }

    public bool Delete(int id)
    {
        lock (_lock) return _items.RemoveAll(item => item.Id == id) > 0;
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Item))]
[JsonSerializable(typeof(Item[]))]
[JsonSerializable(typeof(NewItem))]
[JsonSerializable(typeof(Caller))]
internal sealed partial class ItemJson : JsonSerializerContext
{
    /// <summary>What a request has too much or twice is a mistake of its sender, who should hear of it.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        options.TypeInfoResolverChain.Insert(0, Default);
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
    }
}
