using System.ComponentModel.DataAnnotations;

namespace Smae.MLNet;

/// <summary>How the images of a data view are read into memory, once, before something is done with all of them.</summary>
public sealed record ImageReadOptions
{
    /// <summary>
    /// What happens with images that cannot be read. Default null: trainers leave them out and report them (<see cref="BrokenImagePolicy.Skip"/>), and a
    /// transformer of <c>MaePretrain</c> or of a trainer gives missing values for them later; for <c>LoadImageStore</c> they are an error
    /// (<see cref="BrokenImagePolicy.Fail"/>), so that the images stay in step with the rows.
    /// </summary>
    public BrokenImagePolicy? BrokenImages { get; init; }

    /// <summary>
    /// How much of the decoded images may be in memory, where the rest lies, and whether the next run may use them. Default null: every option's default, which
    /// keeps nothing.
    /// </summary>
    public ImageCacheOptions? Cache { get; init; }

    /// <summary>
    /// The most pixels that an image may have, in millions. A larger one is broken, told by its header before memory is taken for it: on each core a decoded
    /// image takes 4 bytes a pixel. Default 100; transformers that were not trained with other options go by the default too.
    /// </summary>
    [Range(1, 500)]
    public int MaxMegapixels { get; init; } = DefaultMaxMegapixels;

    internal const int DefaultMaxMegapixels = 100;

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">An option is out of range: the message names every one that is.</exception>
    public void Validate() => Rules.Check(Rules.Faults(this).Concat(Cache is null ? [] : Faults.Of(Cache.Validate)), nameof(ImageReadOptions));
}

/// <summary>
/// Does with broken images what the user chose: throws, or counts them and warns, about the first few one by one and about all of them at the end.
/// </summary>
/// <param name="isQuiet">Whether it warns of nothing: another process does.</param>
internal sealed class BrokenImageReport(BrokenImagePolicy policy, IChannelProvider host, string consequence, bool isQuiet = false)
{
    private const int Named = 10;

    private int _count;

    /// <summary>The first broken image's problem, if there is one.</summary>
    public InvalidDataException? First { get; private set; }

    /// <summary>Takes note of a broken image.</summary>
    /// <exception cref="InvalidDataException">The policy is <see cref="BrokenImagePolicy.Fail"/>.</exception>
    public void Add(InvalidDataException problem)
    {
        if (policy == BrokenImagePolicy.Fail)
            throw new InvalidDataException(problem.Message + " (BrokenImagePolicy.Skip goes on without broken images.)", problem);
        First ??= problem;
        if (_count++ < Named) Warn($"Broken image, {consequence}: {problem.Message}");
    }

    /// <summary>Sums up, if there is more than was said.</summary>
    /// <param name="total">The images looked at, broken or not.</param>
    public void Summarise(long total)
    {
        if (_count > 0) Warn($"{_count} of {total} images are broken: {consequence}.");
    }

    private void Warn(string message)
    {
        if (isQuiet) return;
        using var channel = host.Start("BrokenImages");
        channel.Warning(MessageSensitivity.UserData, message);
    }
}
