using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>One pass over the source of a cache; readers wait for the rows that they need.</summary>
internal sealed class CacheFill(IHost host, DataViewRowCursor cursor)
{
    private readonly List<ColumnCache> _caches = [];
    private readonly object _gate = new();
    private long _rows;
    private bool _done;
    private Exception _error;

    public DataViewRowCursor Cursor => cursor;

    public long? TotalOrNull
    {
        get
        {
            lock (_gate)
                return _done && _error == null ? _rows : null;
        }
    }

    public void Add(ColumnCache cache) => _caches.Add(cache);

    public void Start() => Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Waits until a row is there; false if the source ends before it.</summary>
    public bool WaitForRow(long row)
    {
        lock (_gate)
        {
            while (_rows <= row && !_done)
                Monitor.Wait(_gate);
            if (_rows <= row)
                ThrowIfFailed();
            return _rows > row;
        }
    }

    public int WaitForTotal()
    {
        lock (_gate)
        {
            while (!_done)
                Monitor.Wait(_gate);
            ThrowIfFailed();
            return (int)_rows;
        }
    }

    private void Run()
    {
        Exception error = null;
        try
        {
            using (cursor)
            using (IChannel ch = host.Start("Cache Filler"))
            {
                ch.Trace(MessageSensitivity.None, "Begin cache of {0} columns", _caches.Count);
                while (cursor.MoveNext())
                {
                    foreach (ColumnCache cache in _caches)
                        cache.CacheCurrent();
                    lock (_gate)
                    {
                        _rows++;
                        Monitor.PulseAll(_gate);
                    }
                }

                ch.Trace(MessageSensitivity.None, "End cache of {0} columns", _caches.Count);
            }
        }
        catch (Exception ex)
        {
            error = ex;
        }

        lock (_gate)
        {
            _error = error;
            _done = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void ThrowIfFailed()
    {
        if (_error != null)
            throw host.Except(_error, "Event we were waiting on was subject to an exception");
    }
}
