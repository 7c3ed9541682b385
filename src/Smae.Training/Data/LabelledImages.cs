using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Smae.Training;

/// <summary>Images and the class of each. The images stay whose they are: this object never disposes them.</summary>
public sealed class LabelledImages
{
    private readonly long[] _labels;

    /// <summary>Puts images and their classes together.</summary>
    /// <param name="labels">The class of each, counted from 0; copied.</param>
    /// <exception cref="ArgumentException">There is no image, or there are not as many labels as images.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is negative.</exception>
    public LabelledImages(ImageStore images, IReadOnlyList<int> labels)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(labels);
        if (images.Count == 0) throw new ArgumentException("There is no image.", nameof(images));
        if (labels.Count != images.Count)
            throw new ArgumentException($"There are {images.Count} images and {labels.Count} labels: expected one label for each image.", nameof(labels));
        for (int i = 0; i < labels.Count; i++)
            if (labels[i] < 0)
                throw new ArgumentOutOfRangeException(
                    nameof(labels), labels[i], FormattableString.Invariant($"Image {i} has the label {labels[i]}: expected 0 or more."));
        (Images, _labels) = (images, [.. labels.Select(l => (long)l)]);
        ClassCount = (int)_labels.Max() + 1;
    }

    /// <summary>The images, as many as <see cref="Count"/>.</summary>
    public ImageStore Images { get; }

    /// <summary>Number of images.</summary>
    public long Count => _labels.Length;

    /// <summary>One more than the largest label.</summary>
    public int ClassCount { get; }

    /// <summary>
    /// Whether classes may have no image, as long as two have some: a model then knows of the others, and does not learn them. Default false: training
    /// refuses them.
    /// </summary>
    public bool MayLackClasses { get; init; }

    /// <summary>The class of an image.</summary>
    public int this[long index] => (int)_labels[index];

    /// <summary>Those of so many classes that have no image.</summary>
    public IEnumerable<int> MissingOf(int classes) => Enumerable.Range(0, classes).Except(_labels.Select(l => (int)l));

    /// <summary>The classes of images, <c>[indices]</c>, int64.</summary>
    internal Tensor Labels(ReadOnlySpan<long> indices, Device device)
    {
        var labels = new long[indices.Length];
        for (int i = 0; i < labels.Length; i++) labels[i] = _labels[indices[i]];
        return tensor(labels).Upload(device);
    }

    /// <summary>All images, so many at a time.</summary>
    internal IEnumerable<long[]> Blocks(int size)
    {
        for (long from = 0; from < Count; from += size) yield return [.. Enumerable.Range(0, (int)Math.Min(size, Count - from)).Select(i => from + i)];
    }

    /// <summary>The same images and labels in the same order give the same text.</summary>
    internal string ContentHash(bool brief = false) => Images.ContentHash(brief) + Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<long>(_labels)));

    /// <exception cref="ArgumentException">The images are of another size than a model takes.</exception>
    internal void CheckSize(ImagePreprocessing preprocessing, string paramName) => preprocessing.CheckSize(Images, paramName);

    /// <exception cref="ArgumentOutOfRangeException">A label is none of the classes.</exception>
    internal void CheckLabels(int classes, string paramName)
    {
        int wrong = Array.FindIndex(_labels, l => l >= classes);
        if (wrong >= 0)
            throw new ArgumentOutOfRangeException(
                paramName, _labels[wrong],
                FormattableString.Invariant($"Image {wrong} has the label {_labels[wrong]}: expected 0 to {classes - 1}, for {classes} classes."));
    }

    /// <exception cref="ArgumentException">A class has no image, and that is not allowed.</exception>
    internal void CheckEveryClass(int[] missing, int classes, IReadOnlyList<string>? names, string paramName)
    {
        if (missing.Length == 0 || (MayLackClasses && classes - missing.Length >= 2)) return;
        IEnumerable<string> named = missing.Take(10).Select(c => names is null ? $"{c}" : $"{c} ('{names[c]}')").Concat(missing.Length > 10 ? ["..."] : []);
        throw new ArgumentException($"{missing.Length} of {classes} classes have no image to train on: {string.Join(", ", named)}.", paramName);
    }
}
