using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using IdP.Audit;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Logs;

/// <summary>Every event is a record of its own: documented, and without a place for a secret.</summary>
[Trait("Case", "LOG-03")]
public sealed class RecordsOfEvents
{
    // A password, token, key or hash is none of these: what is told as text says so (Told).
    private static readonly Type[] Harmless = [typeof(Told), typeof(Guid), typeof(int), typeof(long)];

    private static readonly Type[] Events = [.. typeof(Event).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Event)))];

    public static TheoryData<Type> All => [.. Events];

    [Theory, MemberData(nameof(All))]
    public void An_event_is_in_the_documents_with_its_members_which_can_hold_no_secret(Type type)
    {
        var members = type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly);
        Assert.True(type.IsSealed);
        Assert.All(members, member => Assert.Contains(Nullable.GetUnderlyingType(member.PropertyType) ?? member.PropertyType, Harmless));
        var row = Assert.Single(Rows(), row => row.Types.Contains(Name(type)));
        Assert.All(members, member => Assert.Contains(JsonNamingPolicy.SnakeCaseLower.ConvertName(member.Name), row.Members));
    }

    [Fact]
    public void The_documents_name_no_event_and_no_member_that_is_not_there()
    {
        var types = Events.ToDictionary(Name, StringComparer.Ordinal);
        foreach (var row in Rows())
        {
            Assert.All(row.Types, type => Assert.Contains(type, types.Keys));
            var members = row.Types.SelectMany(type => types[type].GetProperties()).Select(member => JsonNamingPolicy.SnakeCaseLower.ConvertName(member.Name)).ToHashSet(StringComparer.Ordinal);
            Assert.All(row.Members, member => Assert.Contains(member, members));
        }
        Assert.Equal(types.Count, Rows().Sum(row => row.Types.Count));
    }

    [Fact]
    public void Members_are_texts_and_stay_as_they_are_stored()
    {
        var id = Guid.Parse("0198c5f2-7a10-7c3e-9a44-2f6d1c0a5b77");
        Assert.Equal("""{"session":"0198c5f27a107c3e9a442f6d1c0a5b77","method":"pwd otp mfa"}""", new SignInSucceeded(id, Grant: null, Told.Of("pwd otp mfa")).Details());
        Assert.Equal("""{"passkey":"0198c5f27a107c3e9a442f6d1c0a5b77","stored":"7","seen":"3"}""", new PasskeyCounterWentBack(id, 7, 3).Details());
        Assert.Equal("""{"overlap_seconds":"60"}""", new ApiKeyRotated(60, Client: null).Details());
        Assert.Null(new ApiKeyRevoked(Client: null).Details());
        Assert.Null(new UserDeleted().Details());
        Assert.Equal(Told.Longest, Told.Of(new string('x', Told.Longest + 1)).Text.Length);
    }

    [Theory, MemberData(nameof(All))]
    public void Each_can_be_written(Type type) => Assert.NotNull(EventJson.Default.GetTypeInfo(type));

    private static string Name(Type type)
    {
        var made = type.GetConstructors()[0];
        return ((Event)made.Invoke([.. made.GetParameters().Select(parameter => parameter.ParameterType.IsValueType ? RuntimeHelpers.GetUninitializedObject(parameter.ParameterType) : null)])).Type;
    }

    private static List<(List<string> Types, List<string> Members)> Rows() =>
        [.. File.ReadAllText(Path.Combine(ChildProcess.Repository, "docs", "audit.md")).Split("## Events")[1].Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('|')).Select(cells => (Code(cells[1]), Code(cells[3])))];

    private static List<string> Code(string cell) => [.. Regex.Matches(cell, "(?<=`)[a-z_.]+(?=`)", RegexOptions.None, TimeSpan.FromSeconds(1)).Select(match => match.Value)];
}
