using System.Globalization;

namespace Smae.Training;

/// <summary>
/// Which images the steps of an epoch take. All ranks have the same, in an order that seed and epoch give. Or each has a shard
/// (<see cref="DataParallel.Sharded"/>): then its places in each batch are filled from there, in an order that seed, epoch and shard give, none twice in an epoch,
/// and the epoch ends when the first rank has not enough left for another step. What is left over comes up in a later epoch.
/// </summary>
internal sealed class EpochImages
{
    private readonly long _own;
    private readonly Ranks _ranks;
    private readonly long[] _shards;   // images of each

    /// <param name="own">Images of this rank's shard, or of all.</param>
    /// <exception cref="ArgumentException">A rank has not enough images for a step.</exception>
    public EpochImages(long own, TrainingOptions options, Ranks ranks)
    {
        (_own, _ranks) = (own, ranks);
        long[] counts = ranks.AreSharded ? ranks.OfAll(own, "the images of all shards") : [own];
        _shards = [.. ranks.Shards.Select(first => counts[first])];
        (int begin, int end) = ranks.OwnOf((int)own);
        long[] drawn = ranks.AreSharded ? ranks.OfAll((long)(end - begin), "the images that each rank draws from") : [own];
        BatchSize = (int)Math.Min(options.BatchSize, drawn.Length * drawn.Min());
        PartCount = Math.Min(options.AccumulationSteps, BatchSize);
        StepCount = own / Math.Max(1, BatchSize);
        if (!ranks.AreSharded) return;
        int places = Enumerable.Range(0, PartCount).Select(Part).Select(part => ranks.ShareOf(part.End - part.Begin)).Sum(share => share.End - share.Begin);
        long[] steps = ranks.OfAll((long)(end - begin) / Math.Max(1, places), "the steps of an epoch");
        StepCount = steps.Min();
        if (StepCount == 0)
            throw new ArgumentException($"{ranks.Name(Array.IndexOf(steps, 0))} has not enough images in its shard for its part of a batch of {BatchSize}: {this}.");
    }

    /// <summary>Images of all shards.</summary>
    public long Count => _shards.Sum();

    /// <summary>Images of a step, of all ranks together.</summary>
    public int BatchSize { get; }

    /// <summary>Parts of a step, more than one where gradients are accumulated.</summary>
    public int PartCount { get; }

    /// <summary>Steps of an epoch.</summary>
    public long StepCount { get; }

    /// <summary>Where a part of a step begins in it, and ends.</summary>
    public (int Begin, int End) Part(int part) => Ranks.Share(BatchSize, part, PartCount);

    /// <summary>The images of an epoch's steps, one after the other; -1 where other ranks have them.</summary>
    public long[] Order(int epoch, RandomStream random)
    {
        using Tensor order = randperm(
            _own, ScalarType.Int64, generator: random.At(RandomUse.Order, _ranks.AreSharded ? RandomStream.Mix(epoch, _ranks.Sharing[0]) : epoch));
        long[] own = order.data<long>().ToArray();
        if (!_ranks.AreSharded) return own;
        long[] all = new long[StepCount * BatchSize];
        Array.Fill(all, -1);
        int next = _ranks.OwnOf(own.Length).Begin;
        for (int step = 0; step < StepCount; step++)
            for (int part = 0; part < PartCount; part++)
            {
                (int begin, int end) = Part(part);
                (int from, int to) = _ranks.ShareOf(end - begin);
                own.AsSpan(next, to - from).CopyTo(all.AsSpan(step * BatchSize + begin + from));
                next += to - from;
            }
        return all;
    }

    /// <summary>For people.</summary>
    public override string ToString()
    {
        string all = string.Create(CultureInfo.InvariantCulture, $"{Count} images");
        if (!_ranks.AreSharded) return all;
        string shards = $"{string.Join(", ", _shards.Take(8))}{(_shards.Length > 8 ? ", ..." : "")}";
        return string.Create(
            CultureInfo.InvariantCulture, $"{all} in {_shards.Length} shards ({shards}), of which each epoch leaves out {Count - StepCount * BatchSize}");
    }
}
