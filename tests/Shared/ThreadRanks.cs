using System.Runtime.ExceptionServices;
using Smae.Training;

namespace Smae.Tests;

/// <summary>Ranks that are threads of this process: what they compute together, without any MPI.</summary>
internal static class ThreadRanks
{
    /// <summary>Does work as each of so many ranks.</summary>
    /// <param name="hosts">Of each rank; null is one for each.</param>
    /// <returns>What each gives, in the order of ranks.</returns>
    public static T[] Run<T>(int count, Func<DataParallel, T> work, string[]? hosts = null)
    {
        var meeting = new Meeting(count);
        var results = new T[count];
        var failures = new Exception?[count];
        Thread[] threads = [.. Enumerable.Range(0, count).Select(rank => new Thread(() =>
        {
            try
            {
                results[rank] = work(new DataParallel(new Link(meeting, rank, hosts)) { Timeout = TimeSpan.FromSeconds(20) });
            }
            catch (Exception e)
            {
                failures[rank] = e;
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        if (Array.Find(failures, f => f is not null and not RankFailedException) is { } failure) ExceptionDispatchInfo.Throw(failure);
        return results;
    }

    /// <summary>What each rank throws.</summary>
    public static Exception?[] Failures(int count, Action<DataParallel> work) => Run(count, ranks =>
    {
        try
        {
            work(ranks);
            return (Exception?)null;
        }
        catch (Exception e)
        {
            return e;
        }
    });

    private sealed class Meeting(int count) : IDisposable
    {
        public Barrier Barrier { get; } = new(count);

        public object[] Given { get; } = new object[count];

        public void Dispose() => Barrier.Dispose();
    }

    private sealed unsafe class Link(Meeting meeting, int rank, string[]? hosts) : RankLink
    {
        public override int Rank => rank;

        public override IReadOnlyList<string> Hosts { get; } = hosts ?? [.. Enumerable.Range(0, meeting.Given.Length).Select(r => $"host-{r}")];

        public override void Sum(double[] values, Wait wait)
        {
            double[][] all = [.. Exchange((double[])[.. values], wait).Cast<double[]>()];
            for (int i = 0; i < values.Length; i++) values[i] = all.Sum(v => v[i]);
        }

        public override void Sum(nint floats, long count, Wait wait)
        {
            var own = new Span<float>((void*)floats, (int)count);
            float[][] all = [.. Exchange(own.ToArray(), wait).Cast<float[]>()];
            for (int i = 0; i < own.Length; i++) own[i] = all.Sum(v => v[i]);
        }

        public override void AllToAll(nint send, nint receive, int bytesPerRank, Wait wait)
        {
            byte[][] all = [.. Exchange(new Span<byte>((void*)send, bytesPerRank * Count).ToArray(), wait).Cast<byte[]>()];
            var own = new Span<byte>((void*)receive, bytesPerRank * Count);
            for (int from = 0; from < Count; from++)
                all[from].AsSpan(rank * bytesPerRank, bytesPerRank).CopyTo(own[(from * bytesPerRank)..]);
        }

        public override byte[][] Gather(byte[] own, Wait wait) => [.. Exchange(own, wait).Cast<byte[]>()];

        public override void Broadcast(nint bytes, long count, Wait wait)
        {
            var own = new Span<byte>((void*)bytes, (int)count);
            ((byte[])Exchange(own.ToArray(), wait)[0]).CopyTo(own);
        }

        private object[] Exchange(object own, Wait wait)
        {
            meeting.Given[rank] = own;
            Arrive();
            object[] all = [.. meeting.Given];
            Arrive();
            return all;

            void Arrive()
            {
                if (!meeting.Barrier.SignalAndWait(wait.Longest)) throw new TimeoutException($"Rank {rank} waited for {wait.For}.");
            }
        }
    }
}
