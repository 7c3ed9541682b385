using Smae.Training;

namespace Examples;

/// <summary>An example under <c>mpirun</c>: its processes train together, and the first one writes and prints. Without mpirun a process is its own first.</summary>
internal static class Processes
{
    /// <summary>Joins the others, if there are any. What a process but the first prints from then on is not shown; its errors are.</summary>
    public static DataParallel? Join()
    {
        DataParallel? ranks = DataParallel.FromEnvironment();
        if (!ranks.IsFirst()) Console.SetOut(TextWriter.Null);
        return ranks;
    }

    /// <summary>Whether this is the process that writes and prints.</summary>
    public static bool IsFirst(this DataParallel? ranks) => ranks is not { IsFirst: false };

    /// <summary>Does on the first process what the others go on with when it is done; where it fails, all end.</summary>
    /// <returns>What it gives there, on all: something that JSON holds.</returns>
    public static T OnFirst<T>(this DataParallel? ranks, Func<T> work) => ranks is null ? work() : ranks.Together(() => ranks.FromFirst(work));

    /// <inheritdoc cref="OnFirst{T}"/>
    public static void OnFirst(this DataParallel? ranks, Action work) => ranks.OnFirst(() =>
    {
        work();
        return true;
    });
}
