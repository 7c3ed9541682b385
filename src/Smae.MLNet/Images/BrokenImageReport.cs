using Microsoft.ML.Runtime;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>
/// Does with broken images what the user chose: throws, or counts them and warns, about the first few one by one and about all of them
/// at the end.
/// </summary>
internal sealed class BrokenImageReport(BrokenImagePolicy policy, IChannelProvider host, string consequence)
{
    private const int Named = 10;

    /// <summary>Broken images so far.</summary>
    public int Count { get; private set; }

    /// <summary>The first broken image's problem, if there is one.</summary>
    public InvalidDataException? First { get; private set; }

    /// <summary>Takes note of a broken image.</summary>
    /// <exception cref="InvalidDataException">The policy is <see cref="BrokenImagePolicy.Fail"/>.</exception>
    public void Add(InvalidDataException problem)
    {
        if (policy == BrokenImagePolicy.Fail)
            throw new InvalidDataException(problem.Message + " (BrokenImagePolicy.Skip goes on without broken images.)", problem);
        First ??= problem;
        if (Count++ < Named)
            Warn($"Broken image, {consequence}: {problem.Message}");
    }

    /// <summary>Sums up, if there is more than was said.</summary>
    /// <param name="total">The images looked at, broken or not.</param>
    public void Summarise(long total)
    {
        if (Count > 0)
            Warn($"{Count} of {total} images are broken: {consequence}.");
    }

    private void Warn(string message)
    {
        using var channel = host.Start("BrokenImages");
        channel.Warning(MessageSensitivity.UserData, message);
    }
}
