namespace Smae.Training;

/// <summary>Turns lists of faults into one exception that names them all.</summary>
internal static class Guard
{
    /// <exception cref="ArgumentException">There is a fault.</exception>
    public static void NoFaults(IEnumerable<string> faults, string paramName)
    {
        string[] all = [.. faults];
        if (all.Length > 0) throw new ArgumentException(string.Join(" ", all), paramName);
    }
}
