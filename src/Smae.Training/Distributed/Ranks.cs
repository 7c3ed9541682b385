using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Smae.Training;

/// <summary>What carries numbers between the processes of a run. A call ends when all ranks have made it, or by an exception after some time.</summary>
internal abstract class RankLink
{
    /// <summary>This process, counted from 0.</summary>
    public abstract int Rank { get; }

    /// <summary>The host of each rank.</summary>
    public abstract IReadOnlyList<string> Hosts { get; }

    public int Count => Hosts.Count;

    /// <summary>How many calls of <see cref="Ranks"/> there were: all ranks must have made the same.</summary>
    public long Meetings { get; set; }

    /// <summary>What all ranks have been told of already.</summary>
    public Exception? Told { get; set; }

    /// <summary>Makes each number the sum of those of all ranks.</summary>
    public abstract void Sum(double[] values, Wait wait);

    /// <summary>Adds up float32 numbers in place.</summary>
    public abstract void Sum(nint floats, long count, Wait wait);

    /// <summary>Sends so many bytes to each rank, in the order of ranks, and receives as many from each.</summary>
    public abstract void AllToAll(nint send, nint receive, int bytesPerRank, Wait wait);

    /// <summary>Gives all ranks' bytes to all, in the order of ranks; of any length.</summary>
    public abstract byte[][] Gather(byte[] own, Wait wait);

    /// <summary>Gives the first rank's bytes to all.</summary>
    public abstract void Broadcast(nint bytes, long count, Wait wait);
}

/// <summary>How long is waited, and for what.</summary>
internal readonly record struct Wait(TimeSpan Longest, string For);

/// <summary>
/// The processes that train a model together, and what they tell each other. All ranks make the same calls in the same order; before each they meet, so that
/// one that fails (<see cref="Together"/>) or is elsewhere ends all with its name and message, and nobody waits for it.
/// </summary>
internal sealed class Ranks(RankLink? link, DataParallel? options)
{
    /// <summary>What could be meant where ranks have other images.</summary>
    public const string OwnImages = " Where each machine has images of its own, DataParallel.Sharded says so.";

    private const int HeaderValues = 4;
    private static readonly JsonSerializerOptions s_json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };
    private int[] _shards = new int[link?.Count ?? 1];   // of each rank, the first that has the same images

    /// <summary>One process for itself.</summary>
    public static Ranks Alone { get; } = new(null, null);

    public int Rank => link?.Rank ?? 0;

    public int Count => link?.Count ?? 1;

    public bool IsFirst => Rank == 0;

    public bool AreSeveral => Count > 1;

    /// <summary>For people: how many, and where.</summary>
    public override string ToString() => !AreSeveral ? "" : ", by " + string.Join(" and ", link!.Hosts.GroupBy(host => host)
        .Select(ranks => string.Create(CultureInfo.InvariantCulture, $"{ranks.Count()} ranks on {ranks.Key}")));

    /// <summary>For people: which rank is which process.</summary>
    public string Describe(int[] processes) => string.Join(", ", processes.Take(64).Select((process, rank) =>
        string.Create(CultureInfo.InvariantCulture, $"rank {rank} is process {process} on {link!.Hosts[rank]}"))) + (processes.Length > 64 ? " ..." : "");

    /// <summary>For people.</summary>
    public string Name(int rank) => string.Create(CultureInfo.InvariantCulture, $"rank {rank} ({link?.Hosts[rank] ?? Environment.MachineName})");

    /// <summary>The ranks of this host, this one among them.</summary>
    public int[] OnThisHost => link is null ? [0] : [.. Enumerable.Range(0, Count).Where(rank => link.Hosts[rank] == link.Hosts[Rank])];

    /// <summary>Whether ranks have different images: <see cref="DataParallel.Sharded"/>.</summary>
    public bool AreSharded => AreSeveral && options!.Sharded;

    /// <summary>The first rank of each shard: one, where all have the same images.</summary>
    public int[] Shards => [.. _shards.Distinct()];

    /// <summary>The ranks that have the same images as this one.</summary>
    public int[] Sharing => [.. Enumerable.Range(0, Count).Where(rank => _shards[rank] == _shards[Rank])];

    /// <summary>Finds out who has the same images, where not all have: ranks of one host with the same ones.</summary>
    /// <param name="images">What tells this rank's images from others.</param>
    public void FindShards(Func<string> images)
    {
        if (!AreSharded) return;
        string[] all = Texts($"{link!.Hosts[Rank]} {images()}", "the shards of all ranks");
        _shards = [.. all.Select(text => Array.IndexOf(all, text))];
    }

    /// <summary>Where the things of this rank's shard begin among those of all shards, of which it has so many, and how many there are.</summary>
    public (long Begin, long Count) PlaceOf(long count)
    {
        if (!AreSharded) return (0, count);
        long[] counts = OfAll(count, "what is in each shard");
        return (Shards.Where(first => first < _shards[Rank]).Sum(first => counts[first]), Shards.Sum(first => counts[first]));
    }

    /// <summary>Where a share begins among so many things, and ends: as even as can be.</summary>
    public static (int Begin, int End) Share(int count, int place, int places) => ((int)((long)count * place / places), (int)((long)count * (place + 1) / places));

    /// <summary>This rank's share of what all ranks divide.</summary>
    public (int Begin, int End) ShareOf(int count) => Share(count, Rank, Count);

    /// <summary>This rank's share of what the ranks with the same images divide.</summary>
    public (int Begin, int End) OwnOf(int count) => Share(count, Array.IndexOf(Sharing, Rank), Sharing.Length);

    /// <summary>Does work that all ranks do, and tells them where it fails on this one.</summary>
    /// <exception cref="RankFailedException">It failed on another.</exception>
    public T Together<T>(Func<T> work)
    {
        if (!AreSeveral) return work();
        try
        {
            T result = work();
            Meet("the others to end");
            return result;
        }
        catch (Exception e) when (e is not RankFailedException && e != link!.Told)
        {
            link!.Told = e;
            try
            {
                Failures(Header(true, "the others, to tell them what failed"), $"{e.GetType().Name}: {e.Message}");
            }
            catch (TimeoutException)
            {
                Console.Error.WriteLine($"{Name(Rank)} failed: {e}");
            }
            throw;
        }
    }

    /// <inheritdoc cref="Together{T}"/>
    public void Together(Action work) => Together(() =>
    {
        work();
        return true;
    });

    /// <summary>Whether something is so on any rank.</summary>
    public bool Any(bool here, string what) => AreSeveral ? Meet(what, here ? 1 : 0)[0] > 0 : here;

    /// <summary>Adds up the numbers of all ranks.</summary>
    public double[] Sum(string what, params double[] values)
    {
        if (!AreSeveral) return values;
        if (values.Length <= HeaderValues) return Meet(what, values)[..values.Length];
        Meet(what);
        double[] sum = [.. values];
        link!.Sum(sum, For(what));
        return sum;
    }

    /// <summary>Makes a float32 tensor the sum of those of all ranks, in place.</summary>
    /// <param name="compressed">Whether it may travel in <see cref="DataParallel.Precision"/>.</param>
    /// <param name="besides">A few numbers that travel with it.</param>
    /// <returns>The sums of those.</returns>
    public unsafe double[] Sum(Tensor tensor, string what, bool compressed = false, params double[] besides)
    {
        if (!AreSeveral) return besides;
        double[] sums = Meet(what, besides);
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        bool isHere = tensor.device_type == DeviceType.CPU && tensor.is_contiguous();
        Tensor here = isHere ? tensor : tensor.cpu().contiguous();
        if (compressed && options!.Precision == Precision.BFloat16) (here, isHere) = (SumInBFloat16(here, what), false);
        else
            fixed (byte* bytes = here.bytes) link!.Sum((nint)bytes, here.numel(), For(what));
        if (!isHere) tensor.copy_(here.view(tensor.shape));
        return sums;
    }

    /// <summary>What the first rank says, on all.</summary>
    public T FromFirst<T>(Func<T> value, string what)
    {
        if (!AreSeveral) return value();
        byte[] own = IsFirst ? JsonSerializer.SerializeToUtf8Bytes(value(), s_json) : [];
        return JsonSerializer.Deserialize<T>(Gather(own, what)[0], s_json)!;
    }

    /// <summary>What each rank says, on all.</summary>
    public T[] OfAll<T>(T own, string what) =>
        AreSeveral ? [.. Gather(JsonSerializer.SerializeToUtf8Bytes(own, s_json), what).Select(bytes => JsonSerializer.Deserialize<T>(bytes, s_json)!)] : [own];

    /// <summary>Copies the first rank's tensors to all.</summary>
    public unsafe void FromFirst(IEnumerable<Tensor> tensors, string what)
    {
        if (!AreSeveral) return;
        using var noGrad = no_grad();
        foreach (Tensor tensor in tensors)
        {
            Meet(what);
            using DisposeScope scope = NewDisposeScope();
            Tensor here = tensor.detach().cpu().contiguous();
            fixed (byte* bytes = here.bytes) link!.Broadcast((nint)bytes, here.bytes.Length, For(what));
            tensor.copy_(here);
        }
    }

    /// <summary>The texts of all ranks, in their order.</summary>
    public string[] Texts(string own, string what) => AreSeveral ? [.. Gather(Encoding.UTF8.GetBytes(own), what).Select(Encoding.UTF8.GetString)] : [own];

    /// <summary>Sees to it that all ranks have the same, by name.</summary>
    /// <param name="otherwise">What could be meant where they do not.</param>
    /// <exception cref="ArgumentException">They do not; the message says what differs, and between whom.</exception>
    public void CheckSame(IEnumerable<(string Name, string Value)> values, string otherwise = "")
    {
        if (!AreSeveral) return;
        Dictionary<string, string>[] all = OfAll(values.ToDictionary(v => v.Name, v => v.Value), "options and images of all ranks");
        string[] differences = [.. all[0].Keys.Union(all.SelectMany(a => a.Keys)).SelectMany(name => Enumerable.Range(1, Count - 1)
            .Where(rank => all[rank].GetValueOrDefault(name) != all[0].GetValueOrDefault(name)).Take(1)
            .Select(rank => $"{name} is {all[0].GetValueOrDefault(name, "missing")} on {Name(0)} and {all[rank].GetValueOrDefault(name, "missing")} on {Name(rank)}"))];
        if (differences.Length > 0) throw new ArgumentException($"The ranks do not train the same: {string.Join("; ", differences)}.{otherwise}");
    }

    private byte[][] Gather(byte[] own, string what)
    {
        Meet(what);
        return link!.Gather(own, For(what));
    }

    /// <summary>Waits until all ranks are here, where none has failed.</summary>
    /// <param name="values">At most <see cref="HeaderValues"/>.</param>
    /// <returns>The sums of these over all ranks.</returns>
    private double[] Meet(string what, params double[] values)
    {
        double[] header = Header(false, what, values);
        if (header[0] == 0 && header[1] * header[1] == header[2] * Count) return header[3..];   // all places are the same
        string[] places = Failures(header, null);
        throw new InvalidOperationException($"The ranks are not at the same place: {string.Join("; ", places.Select((place, rank) => $"{Name(rank)} {place}"))}.");
    }

    /// <summary>How many ranks failed, where they are, that squared, and values: sums over all ranks.</summary>
    private double[] Header(bool failed, string what, params double[] values)
    {
        double place = (++link!.Meetings * 31 + what.Sum(c => c)) % 4096;
        double[] header = new double[3 + HeaderValues];
        (header[0], header[1], header[2]) = (failed ? 1 : 0, place, place * place);
        values.CopyTo(header, 3);
        link.Sum(header, For(what));
        return header;
    }

    /// <summary>Exchanges what failed.</summary>
    /// <param name="own">Null where nothing did here.</param>
    /// <returns>Where nothing failed, where each rank is.</returns>
    private string[] Failures(double[] header, string? own)
    {
        string[] texts = [.. link!.Gather(Encoding.UTF8.GetBytes(own ?? $"is at call {link.Meetings}"), For("what failed")).Select(Encoding.UTF8.GetString)];
        if (header[0] == 0 || own is not null) return texts;
        int rank = Array.FindIndex(texts, text => !text.StartsWith("is at call ", StringComparison.Ordinal));
        throw new RankFailedException(rank, link.Hosts[rank], $"{Name(rank)} of {Count} failed: {texts[rank]}");
    }

    private Wait For(string what) => new(options!.Timeout, what);

    /// <summary>Each rank adds up a share of the numbers in float32; they travel in bfloat16 there and back.</summary>
    private unsafe Tensor SumInBFloat16(Tensor tensor, string what)
    {
        long each = (tensor.numel() + Count - 1) / Count;
        Tensor send = zeros([Count, each], ScalarType.BFloat16), received = empty_like(send);
        send.view(-1).narrow(0, 0, tensor.numel()).copy_(tensor.view(-1));
        int bytes = checked((int)(each * 2));
        fixed (byte* from = send.bytes, to = received.bytes)
        {
            link!.AllToAll((nint)from, (nint)to, bytes, For(what));
            send.copy_(received.to_type(ScalarType.Float32).sum([0L], keepdim: true).expand(Count, each));   // the same for all
            link.AllToAll((nint)from, (nint)to, bytes, For(what));
        }
        return received.view(-1).narrow(0, 0, tensor.numel()).to_type(ScalarType.Float32);
    }
}

/// <summary>A run ended because another of its processes failed: the message has its rank, its host and what it said.</summary>
public sealed class RankFailedException : Exception
{
    internal RankFailedException(int rank, string host, string message) : base(message) => (Rank, Host) = (rank, host);

    /// <summary>The process that failed, counted from 0.</summary>
    public int Rank { get; }

    /// <summary>The machine it ran on.</summary>
    public string Host { get; }
}
