using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Smae.Training;

namespace ImageSearch;

/// <summary>
/// Paths of images and the directions of their embeddings, seen from the mean of all: what images have in common tells none apart. Directions have
/// length 1, so that a cosine is a sum of products.
/// </summary>
internal sealed class EmbeddedImages
{
    private const string Mark = "Smae image search 2";
    private readonly string[] _paths;
    private readonly float[] _mean, _directions;

    private EmbeddedImages(string[] paths, float[] mean, float[] directions) => (_paths, _mean, _directions) = (paths, mean, directions);

    public int Count => _paths.Length;

    public int Dimension => _mean.Length;

    /// <summary>The images of an index.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static EmbeddedImages Of(IReadOnlyList<EmbeddedImage> images)
    {
        if (images.Count == 0) throw new InvalidDataException("None of the images could be read.");
        var mean = new float[images[0].Embedding.Length];
        for (int i = 0; i < mean.Length; i++) mean[i] = images.Average(image => image.Embedding.Span[i]);
        return Of(images, mean);
    }

    /// <summary>Images to ask about, seen from the same mean.</summary>
    /// <exception cref="InvalidDataException">There is none, or the embeddings are of another length.</exception>
    public EmbeddedImages Queries(IReadOnlyList<EmbeddedImage> images)
    {
        if (images.Count == 0) throw new InvalidDataException("None of the images asked about could be read.");
        return images[0].Embedding.Length == Dimension
            ? Of(images, _mean)
            : throw new InvalidDataException(
                $"The index holds embeddings of {Dimension} numbers, the encoder beside it gives {images[0].Embedding.Length}: make it again.");
    }

    public string Path(int image) => _paths[image];

    public ReadOnlySpan<float> Direction(int image) => _directions.AsSpan(image * Dimension, Dimension);

    /// <summary>The most similar images, the most similar first.</summary>
    public IReadOnlyList<Neighbor> Nearest(ReadOnlySpan<float> direction, int count, string? except = null)
    {
        var nearest = new PriorityQueue<int, float>();   // the least similar of those kept first
        for (int i = 0; i < Count; i++)
        {
            if (_paths[i] == except) continue;
            nearest.Enqueue(i, Dot(direction, Direction(i)));
            if (nearest.Count > count) nearest.Dequeue();
        }
        List<Neighbor> found = [];
        while (nearest.TryDequeue(out int i, out float similarity)) found.Add(new Neighbor(_paths[i], similarity));
        found.Reverse();
        return found;
    }

    public void Save(string path) => AtomicFile.Write(path, file =>
    {
        using var writer = new BinaryWriter(file, Encoding.UTF8, leaveOpen: true);
        writer.Write(Mark);
        writer.Write(Count);
        writer.Write(Dimension);
        foreach (string image in _paths) writer.Write(image);
        writer.Write(MemoryMarshal.AsBytes(_mean.AsSpan()));
        writer.Write(MemoryMarshal.AsBytes(_directions.AsSpan()));
    });

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not an index, or it is truncated.</exception>
    public static EmbeddedImages Load(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no index {path}: make one with 'index'.");
        using var reader = new BinaryReader(File.OpenRead(path));
        try
        {
            if (reader.ReadString() != Mark) throw new InvalidDataException($"{path} is no index of this program.");
            var paths = new string[reader.ReadInt32()];
            var mean = new float[reader.ReadInt32()];
            var directions = new float[paths.Length * mean.Length];
            for (int i = 0; i < paths.Length; i++) paths[i] = reader.ReadString();
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(mean.AsSpan()));
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(directions.AsSpan()));
            return new EmbeddedImages(paths, mean, directions);
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"{path} is no index, or it is truncated.", e);
        }
    }

    private static EmbeddedImages Of(IReadOnlyList<EmbeddedImage> images, float[] mean)
    {
        var directions = new float[images.Count * mean.Length];
        for (int image = 0; image < images.Count; image++)
        {
            Span<float> direction = directions.AsSpan(image * mean.Length, mean.Length);
            for (int i = 0; i < mean.Length; i++) direction[i] = images[image].Embedding.Span[i] - mean[i];
            float length = MathF.Sqrt(Dot(direction, direction));
            if (length == 0) continue;   // the mean itself, such as the only image there is: like nothing
            for (int i = 0; i < mean.Length; i++) direction[i] /= length;
        }
        return new EmbeddedImages([.. images.Select(image => image.Path)], mean, directions);
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        ReadOnlySpan<Vector<float>> left = MemoryMarshal.Cast<float, Vector<float>>(a), right = MemoryMarshal.Cast<float, Vector<float>>(b);
        var sums = Vector<float>.Zero;
        for (int i = 0; i < left.Length; i++) sums += left[i] * right[i];
        float sum = Vector.Sum(sums);
        for (int i = left.Length * Vector<float>.Count; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }
}

/// <summary>An image with its embedding.</summary>
internal sealed record EmbeddedImage(string Path, ReadOnlyMemory<float> Embedding);

/// <summary>An image that was found.</summary>
/// <param name="Path">The file.</param>
/// <param name="Similarity">Cosine of the angle between the two embeddings, seen from the mean of all: 1 is the same direction.</param>
internal sealed record Neighbor(string Path, float Similarity);
