using System.ComponentModel.DataAnnotations;

namespace Smae.Training;

/// <summary>
/// Training by several processes, on one machine or many, over MPI: <see cref="TrainingOptions.Distributed"/>. Every process, a rank, runs the same program and
/// works on its share of the images of each step; gradients are added up over all before the optimiser's step. <see cref="TrainingOptions.BatchSize"/> is that of
/// all together, and order of the images and random numbers do not depend on how many there are: N ranks compute what one process computes, but for the order of
/// sums. Only the first rank writes checkpoints, log and progress; <c>docs/scale.md</c> has the rest.
/// </summary>
public sealed record DataParallel
{
    private readonly RankLink _link;

    internal DataParallel(RankLink link) => _link = link;

    /// <summary>This process, counted from 0.</summary>
    public int Rank => _link.Rank;

    /// <summary>How many processes there are.</summary>
    public int Count => _link.Count;

    /// <summary>Whether this is the process that writes and prints: files of a program's own are its matter too.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>
    /// Number format of gradients between ranks. <see cref="Precision.BFloat16"/> halves what is sent; sums are made in float32. Default <see cref="Precision.Float32"/>.
    /// </summary>
    public Precision Precision { get; init; }

    /// <summary>
    /// How long a rank waits for the others before it ends with an error: longer than any of them needs to decode its images, to validate or to write a checkpoint.
    /// One that dies ends the others at once. Default 10 minutes.
    /// </summary>
    [Range(0, 1e6, MinimumIsExclusive = true)] public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Whether each host has images of its own, a shard, in place of all: ranks of a host that name the same images share a shard. A batch is then made of as many
    /// images of each rank as of any other, give or take one, and its composition follows from the ranks too: a run goes on with the same ranks and shards only. An epoch
    /// ends when the first rank has no images left for another step. Default false: other images on another rank are an error.
    /// </summary>
    public bool Sharded { get; init; }

    /// <summary>The processes of this program's <c>mpirun</c>; connects with them at the first call.</summary>
    /// <remarks>
    /// Ranks that share cores share libtorch's threads: each gets as many as there are processors for it, unless <c>OMP_NUM_THREADS</c> or <c>MKL_NUM_THREADS</c> is
    /// set; a program that wants another number calls <c>torch.set_num_threads</c> after this.
    /// </remarks>
    /// <exception cref="DllNotFoundException">There is no MPI here; the message says what to install.</exception>
    /// <exception cref="InvalidOperationException">The program was started by an MPI that this one does not work with.</exception>
    public static DataParallel Mpi()
    {
        if (MpiEnvironment.Fault is { } fault) throw new InvalidOperationException(fault);
        return new DataParallel(MpiLink.OfProcess);
    }

    /// <summary>
    /// The same where the program was started by <c>mpirun</c> or <c>srun</c>, null where it was not: MPI is not loaded then. What programs set
    /// <see cref="TrainingOptions.Distributed"/> to.
    /// </summary>
    /// <inheritdoc cref="Mpi" path="/exception"/>
    public static DataParallel? FromEnvironment() => MpiEnvironment.IsThere || MpiEnvironment.Fault is not null ? Mpi() : null;

    /// <summary>
    /// Does work that all ranks do, with calls to each other in it. Where it fails on one, all of them end it with an exception, the others with a
    /// <see cref="RankFailedException"/>, and nobody waits. Training does its work like this.
    /// </summary>
    public T Together<T>(Func<T> work) => Connect(this).Together(work);

    /// <summary>Sees to it that all ranks have the same, by name.</summary>
    /// <exception cref="ArgumentException">They do not; the message says what differs, and between whom.</exception>
    public void CheckSame(IEnumerable<(string Name, string Value)> values) => Connect(this).CheckSame(values);

    /// <summary>What the first rank says, on all: all ask.</summary>
    /// <param name="value">Asked for on the first rank alone; something that JSON holds.</param>
    public T FromFirst<T>(Func<T> value) => Connect(this).FromFirst(value, "what the first rank says");

    /// <summary>What each rank says, in their order, on all: all ask.</summary>
    /// <param name="own">Something that JSON holds.</param>
    public T[] OfAll<T>(T own) => Connect(this).OfAll(own, "what each rank says");

    /// <summary>Whether something is so on any rank: all ask.</summary>
    public bool Any(bool here) => Connect(this).Any(here, "what all ranks ask for");

    /// <summary>The ranks, for one run.</summary>
    internal static Ranks Connect(DataParallel? options) => options is null ? Ranks.Alone : new Ranks(options._link, options);
}

/// <summary>What the environment says of how this process was started.</summary>
internal static class MpiEnvironment
{
    /// <summary>Whether MPICH, an MPI of its kind, or Microsoft's started it.</summary>
    public static bool IsThere => Has("PMI_RANK") && Has("PMI_SIZE");

    /// <summary>Why MPI does not work as it was started; null if it does.</summary>
    public static string? Fault =>
        IsThere ? null
        : Has("OMPI_COMM_WORLD_SIZE") ? "This program was started by Open MPI's mpirun, whose library MPI.NET does not work with. "
            + "Install MPICH (Debian and Ubuntu: apt-get install mpich) and start it with mpirun.mpich."
        : Has("PMIX_RANK") ? "This program was started through PMIx, which MPICH of Debian and Ubuntu does not know. With Slurm: srun --mpi=pmi2."
        : null;

    private static bool Has(string variable) => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable));
}
