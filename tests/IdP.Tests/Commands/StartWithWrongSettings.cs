using System.Net;
using System.Net.Sockets;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Commands;

public sealed class StartWithWrongSettings(DatabaseTemplate template) : FailingStart(template)
{
    [Fact]
    public async Task A_port_that_is_in_use()
    {
        using var listener = new TcpListener(IPAddress.Loopback, new Uri(Url).Port);
        listener.Start();

        await ServeFails($"The port of {Url} is in use by another program: stop that, or choose another port with --urls");
        // Nor is a new database made.
        File.Delete(Database);
        await ServeFails($"The port of {Url} is in use by another program: stop that, or choose another port with --urls");
        Assert.False(File.Exists(Database));
    }

    [Theory]
    [InlineData("--dmeo", "use --demo if that was meant")]
    [InlineData("--verbose", "'IdP serve' has no option '--verbose'")]
    [InlineData("extra", "'IdP serve' takes no 'extra' there")]
    public async Task An_unknown_option(string option, string text) => await Fails(text, "serve", "--data", Folder, "--urls", Url, option);

    [Theory]
    [InlineData("--urls", "", "Urls is empty")]
    [InlineData("--urls", "localhost:8080", "Urls has 'localhost:8080': an address looks like")]
    [InlineData("--urls", "ftp://localhost:8080", "an address looks like")]
    [InlineData("--urls", "http://localhost:8080/path", "an address looks like")]
    [InlineData("--urls", "http://192.0.2.1:8080", "This user may not listen on http://192.0.2.1:8080")]
    [InlineData("--urls", "https://localhost:8443", "needs --tls-cert and --tls-key")]
    [InlineData("--issuer", "login.example.com", "Issuer is 'login.example.com': it must be an absolute URL")]
    [InlineData("--issuer", "https://login.example.com/path", "it must be an absolute URL without path")]
    [InlineData("--issuer", "https://login.example.com?x=y", "it must be an absolute URL without path")]
    [InlineData("--issuer", "https://user@login.example.com", "it must be an absolute URL without path")]
    [InlineData("--issuer", "ftp://login.example.com", "it must be an absolute URL")]
    [InlineData("--config", "no-such-file.json", "does not exist: correct --config")]
    public async Task An_option_with_a_value_that_cannot_work(string option, string value, string text) =>
        await Fails(text, option == "--urls" ? ["serve", "--data", Folder, option, value] : ["serve", "--data", Folder, "--urls", Url, option, value]);

    [Fact]
    public async Task A_certificate_that_cannot_be_used() =>
        await Fails("cannot be used: they must be readable PEM files that belong together", "serve", "--data", Folder, "--urls", "https://localhost:8443", "--tls-cert", MasterKey, "--tls-key", MasterKey);

    [Theory]
    [InlineData("http://0.0.0.0:8080")]
    [InlineData("http://localhost:8080;http://*:8081")]
    [InlineData("http://demo.example:8080")]
    public async Task A_demo_for_others_than_this_machine(string urls) => await Fails("--demo listens on loopback only", "serve", "--demo", "--data", Folder, "--urls", urls);

    [Theory]
    [InlineData("Tokens__AccesTokenLifetimeSeconds", "60", "There is no setting Tokens:AccesTokenLifetimeSeconds: use Tokens:AccessTokenLifetimeSeconds")]
    [InlineData("Tokns__AccessTokenLifetimeSeconds", "60", "There is no setting Tokns: use Tokens")]
    [InlineData("Mail__SmtpUser", "idp", "Mail:SmtpUser or Mail:SmtpPassword is set without Mail:SmtpHost")]
    [InlineData("Mail__From", "no address", "Mail:From is 'no address': it must be an e-mail address")]
    [InlineData("Mail__SmtpHost", "smtp.example.com:587", "it must be the name or the IP address of a server; the port is Mail:SmtpPort")]
    [InlineData("Tokens__AccessTokenLifetimeSeconds", "soon", "Tokens:AccessTokenLifetimeSeconds is 'soon': it must be a whole number")]
    [InlineData("Tokens__AccessTokenLifetimeSeconds", "", "it must be a whole number")]
    [InlineData("Tokens__AccessTokenLifetimeSeconds", "0", "Tokens:AccessTokenLifetimeSeconds is 0: it must be at least 1")]
    [InlineData("Tokens__AccessTokenLifetimeSeconds", "86401", "it must be at most 86400")]
    [InlineData("Tokens__RefreshAbsoluteDays", "2000000000", "Tokens:RefreshAbsoluteDays is 2000000000: it must be at most 3650")]
    [InlineData("Retention__AuditDays", "29", "Retention:AuditDays is 29: it must be 30 to 3650")]
    [InlineData("Keys__LifetimeDays", "2000000000", "Keys:LifetimeDays is 2000000000: it must be at most 3650")]
    [InlineData("Storage__MaxBatchSize", "0", "Storage:MaxBatchSize is 0: it must be at least 1")]
    [InlineData("Storage__BusyTimeoutSeconds", "0", "Storage:BusyTimeoutSeconds is 0: it must be at least 1")]
    [InlineData("Storage__MigrateAtStart", "perhaps", "Storage:MigrateAtStart is 'perhaps': it must be true or false")]
    [InlineData("Storage__Provider", "mysql", "Storage:Provider is 'mysql': use sqlite, postgres or sqlserver")]
    [InlineData("Tokens", "60", "Tokens is a group of settings")]
    [InlineData("Urls__0", "http://localhost:1", "Urls is one setting, not a group or a list")]
    [InlineData("Http__TrustedProxies", "proxy.example", "Http:TrustedProxies has 'proxy.example': it must be IP addresses")]
    [InlineData("Metrics__Urls", "127.0.0.1:9464", "Metrics:Urls has '127.0.0.1:9464': an address for figures looks like http://127.0.0.1:9464")]
    [InlineData("Metrics__Urls", "https://127.0.0.1:9464", "an address for figures looks like http://127.0.0.1:9464")]
    [InlineData("Metrics__Urls", "http://192.0.2.1:9464", "This user may not listen on http://192.0.2.1:9464: choose a port above 1023 and an address of this machine with Metrics:Urls")]
    [InlineData("Telemetry__OtlpEndpoint", "collector:4318", "Telemetry:OtlpEndpoint is 'collector:4318': the address of a collector looks like http://127.0.0.1:4318")]
    [InlineData("Telemetry__OtlpProtocol", "thrift", "Telemetry:OtlpProtocol is 'thrift': it must be http/protobuf or grpc")]
    [InlineData("Telemetry__TracesPercent", "101", "Telemetry:TracesPercent is 101: it must be 0 to 100")]
    [InlineData("Serilog__MinimumLevel", "Chatty", "Serilog:MinimumLevel is 'Chatty': it must be one of")]
    [InlineData("Keys__MasterKey_FILE", "/no/such/file", "IDP__Keys__MasterKey_FILE names the file /no/such/file, which does not exist")]
    public async Task A_setting_in_theVariables_that_cannot_work(string name, string value, string text)
    {
        Variables[$"IDP__{name}"] = value;

        await ServeFails(text);
    }

    [Theory]
    [InlineData("""{"Tokens":{"AccesTokenLifetimeSeconds":60}}""", "There is no setting Tokens:AccesTokenLifetimeSeconds: use Tokens:AccessTokenLifetimeSeconds")]
    [InlineData("""{"Tokens":{"AccessTokenLifetimeSeconds":"soon"}}""", "Tokens:AccessTokenLifetimeSeconds is 'soon': it must be a whole number")]
    [InlineData("""{"Tokens":{"AccessTokenLifetimeSeconds":[60]}}""", "is one setting, not a group or a list")]
    [InlineData("""{"Tokens":""", "is not valid JSON (line 1)")]
    public async Task A_setting_in_a_file_that_cannot_work(string json, string text)
    {
        var file = Path.Combine(Folder, "settings.json");
        await File.WriteAllTextAsync(file, json);

        await Fails(text, "serve", "--data", Folder, "--urls", Url, "--config", file);
    }
}
