namespace Smae.Benchmarks;

/// <summary>Measures sides against each other in one run: all are alive and warm, and take turns.</summary>
internal static class Duel
{
    // Threads of a side that has just finished may spin for a while before they sleep; OpenBLAS's do so longest.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    /// <summary>Lets the sides take turns, one at a time, forwards and backwards, so that what else the machine does falls on all of them.</summary>
    /// <param name="sides">The sides.</param>
    /// <param name="rounds">Rounds that count.</param>
    /// <param name="say">Told what is going on.</param>
    /// <param name="warmUp">
    /// Whether a round that does not count comes before each that does: while the others worked, a side's memory left the caches and, on machines that
    /// take back what lies idle, the memory too, which costs nothing in a training that never rests. Default true.
    /// </param>
    /// <exception cref="InvalidOperationException">A side failed.</exception>
    public static IReadOnlyList<SideResult> Run(IReadOnlyList<Side> sides, int rounds, Action<string> say, bool warmUp = true)
    {
        var running = new List<SideProcess>();
        try
        {
            foreach (Side side in sides)
            {
                say($"warming up: {side.Name}");
                running.Add(new SideProcess(side));
            }
            for (int round = 0; round < rounds; round++)
            {
                say($"round {round + 1} of {rounds}");
                foreach (SideProcess side in round % 2 == 0 ? running : Enumerable.Reverse(running))
                {
                    if (!side.HasMore) continue;
                    Thread.Sleep(Pause);
                    if (warmUp) side.Round(counts: false);
                    side.Round();
                }
            }
            return [.. running.Select(side => side.Result)];
        }
        finally
        {
            foreach (SideProcess side in running) side.Dispose();
        }
    }
}
