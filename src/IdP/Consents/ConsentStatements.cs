using System.Security.Cryptography;
using System.Text;
using IdP.Audit;
using IdP.Authorize;
using IdP.Clients;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Consents;

/// <summary>Remembers consent, and answers the one question about it.</summary>
internal sealed class ConsentStatements(PreparedStatements statements, Database database, TimeProvider clock)
{
    private const string ReadSql = """SELECT "Items", "ClientDigest" FROM "Consents" WHERE "UserId" = @p0 AND "ClientKey" = @p1""";

    /// <summary>Whether remembered consent covers all that the request asks for, given to the client as it is now.</summary>
    public async ValueTask<bool> Covers(Guid userId, AuthorizationRequest request, CancellationToken ct)
    {
        var digest = Digest(request.Client);
        return await statements.Read(ReadSql, [userId, request.Client.Id], row =>
            row.GetFieldValue<byte[]>(1).AsSpan().SequenceEqual(digest) && Covers(row.GetString(0), request.ConsentItems), ct);
    }

    /// <summary>Remembers that the person lets the client have what the request asks for, besides what it had already.</summary>
    public Task Give(Guid userId, AuthorizationRequest request, string? address, CancellationToken ct) => database.Write(async db =>
    {
        var (now, digest, client) = (clock.GetUtcNow(), Digest(request.Client), request.Client);
        await ServerState.TakeTurn(db, ct);
        var known = await db.Set<Consent>().AsTracking().SingleOrDefaultAsync(c => c.UserId == userId && c.ClientKey == client.Id, ct);
        var before = known is not null && known.ClientDigest.AsSpan().SequenceEqual(digest) ? known.Items.Split(' ') : [];
        var items = string.Join(' ', before.Union(request.ConsentItems, StringComparer.Ordinal));
        if (known is null) db.Add(new Consent { UserId = userId, ClientKey = client.Id, Items = items, ClientDigest = digest, GivenAt = now });
        else (known.Items, known.ClientDigest, known.GivenAt) = (items, digest, now);
        AuditEvent.Record(db, now, new ConsentGiven(Told.Of(request.ConsentItems)), $"user:{userId:N}", $"client:{client.ClientId}", address);
        await db.SaveChangesAsync(ct);
    }, ct);

    private static bool Covers(string given, IEnumerable<string> asked)
    {
        var had = given.Split(' ');
        return asked.All(had.Contains);
    }

    /// <summary>The digest as a page carries it.</summary>
    public static string Appearance(Client client) => Convert.ToHexStringLower(Digest(client));

    // What the person judged the client by.
    private static byte[] Digest(Client client) => SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n',
        [client.Name, client.LogoUri, client.PolicyUri, client.TermsUri, .. client.RedirectUris.Order(StringComparer.Ordinal)])));
}
