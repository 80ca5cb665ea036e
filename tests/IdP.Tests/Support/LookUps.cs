using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace IdP.Tests.Support;

/// <summary>Counts the statements that ask the database about one value, in the whole process: the value must be this test's alone.</summary>
internal sealed class LookUps : IDisposable, IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
{
    private readonly string _value;
    private readonly List<IDisposable> _subscriptions = [];
    private int _count;

    public LookUps(string value)
    {
        _value = value;
        _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));
    }

    public int Count => Volatile.Read(ref _count);

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == DbLoggerCategory.Name) _subscriptions.Add(value.Subscribe(this));
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Value is not CommandEventData data || value.Key != RelationalEventId.CommandExecuting.Name) return;
        foreach (System.Data.Common.DbParameter parameter in data.Command.Parameters)
            if (parameter.Value as string == _value) Interlocked.Increment(ref _count);
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    public void Dispose() => _subscriptions.ForEach(subscription => subscription.Dispose());
}
