using Microsoft.ML.OnnxRuntime;

namespace Smae.Export;

/// <summary>A session and the lanes of calls to it: kept and used again, as many as calls were ever under way at once. Thread-safe.</summary>
/// <param name="session">The session; disposed with the pool.</param>
/// <param name="newLane">Makes a lane of it.</param>
internal sealed class LanePool(InferenceSession session, Func<InferenceSession, ScoringLane> newLane) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Stack<ScoringLane> _idle = [];
    private int _busy;
    private bool _disposed;

    /// <summary>A lane that nobody else uses, until it is given back.</summary>
    /// <exception cref="ObjectDisposedException">The pool is disposed.</exception>
    public ScoringLane Rent()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(OnnxImageModel));
            if (!_idle.TryPop(out ScoringLane? lane)) lane = newLane(session);
            _busy++;
            return lane;
        }
    }

    /// <summary>Gives a lane back.</summary>
    public void Return(ScoringLane lane)
    {
        lock (_lock)
        {
            _busy--;
            if (!_disposed)
            {
                _idle.Push(lane);
                return;
            }
            lane.Dispose();
            if (_busy == 0) session.Dispose();
        }
    }

    /// <summary>Frees session and lanes, once those that are out have come back.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            while (_idle.TryPop(out ScoringLane? lane)) lane.Dispose();
            if (_busy == 0) session.Dispose();
        }
    }
}
