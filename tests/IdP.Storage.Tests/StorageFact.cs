using IdP.Testing;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace IdP.Storage.Tests;

/// <summary>A fact of a suite that runs on every engine. On SQL Server, of which there is none here, it is skipped unless IDP_TEST_SQLSERVER names an empty database.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("IdP.Storage.Tests.StorageFactDiscoverer", "IdP.Storage.Tests")]
public sealed class StorageFactAttribute : FactAttribute;

public sealed class StorageFactDiscoverer(IMessageSink messages) : FactDiscoverer(messages)
{
    protected override IXunitTestCase CreateTestCase(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        testMethod.TestClass.Class.Name.EndsWith("OnSqlServer", StringComparison.Ordinal) && SqlServerDatabase.Missing is not null
            ? new SkippedTestCase(DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod)
            : base.CreateTestCase(discoveryOptions, testMethod, factAttribute);
}

public sealed class SkippedTestCase : XunitTestCase
{
    [Obsolete("For the deserializer only.", error: true)]
    public SkippedTestCase()
    {
    }

    public SkippedTestCase(IMessageSink messages, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method) : base(messages, display, options, method)
    {
    }

    protected override string GetSkipReason(IAttributeInfo factAttribute) => SqlServerDatabase.Missing!;
}
