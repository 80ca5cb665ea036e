namespace IdP.Storage;

internal static class Instant
{
    public static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
