using System.Globalization;

namespace EmbedFolder;

/// <summary>One of several processes that share the images: each embeds those whose hash falls to it, and writes files of its own.</summary>
internal sealed record Part(int Index, int Count)
{
    public override string ToString() => $"{Index}/{Count}";

    /// <summary>The rank that mpirun (MPICH, Open MPI) or srun gave this process; all images where none did.</summary>
    public static Part OfEnvironment()
    {
        foreach ((string rank, string size) in new[]
                 {
                     ("PMI_RANK", "PMI_SIZE"), ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
                     ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),   // not SLURM_NTASKS: a batch script itself has that too, and is one process
                 })
            if (Number(Environment.GetEnvironmentVariable(rank)) is { } index && Number(Environment.GetEnvironmentVariable(size)) is { } count && index < count)
                return new Part(index, count);
        return new Part(0, 1);
    }

    /// <summary>Reads i/n.</summary>
    /// <param name="refuse">Told what is wrong with it.</param>
    public static Part Parse(string text, Action<string> refuse)
    {
        if (text.Split('/') is [var i, var n] && Number(i) is { } index && Number(n) is { } count && index < count) return new Part(index, count);
        refuse($"--part is '{text}': expected i/n with 0 <= i < n, such as 0/4.");
        return new Part(0, 1);
    }

    private static int? Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}
