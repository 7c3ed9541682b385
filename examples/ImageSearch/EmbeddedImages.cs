using System.Numerics;
using System.Runtime.InteropServices;

namespace ImageSearch;

/// <summary>Paths of images, and their embeddings at length 1 one after the other: a cosine is then a sum of products.</summary>
internal sealed class EmbeddedImages
{
    private const string Mark = "Smae image search 1";
    private readonly string[] _paths;
    private readonly float[] _directions;

    private EmbeddedImages(string[] paths, float[] directions) => (_paths, _directions) = (paths, directions);

    public int Count => _paths.Length;

    public int Dimension => Count == 0 ? 0 : _directions.Length / Count;

    /// <summary>Takes rows; those whose image could not be read hold missing values (NaN) and are left out.</summary>
    public static EmbeddedImages Of(IEnumerable<EmbeddedRow> rows)
    {
        List<string> paths = [];
        List<float> directions = [];
        foreach (EmbeddedRow row in rows)
        {
            if (float.IsNaN(row.Embedding[0])) continue;
            float length = MathF.Sqrt(row.Embedding.Sum(x => x * x));
            paths.Add(row.ImagePath);
            directions.AddRange(row.Embedding.Select(x => x / length));
        }
        return new EmbeddedImages([.. paths], [.. directions]);
    }

    public string Path(int image) => _paths[image];

    public ReadOnlySpan<float> Direction(int image) => _directions.AsSpan(image * Dimension, Dimension);

    /// <summary>The most similar images, the most similar first.</summary>
    public IReadOnlyList<Neighbor> Nearest(ReadOnlySpan<float> direction, int count, string? except = null)
    {
        if (direction.Length != Dimension)
            throw new InvalidDataException(
                $"The index holds embeddings of {Dimension} numbers, the encoder beside it gives {direction.Length}: make it again.");
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

    public void Save(string path)
    {
        string temporary = path + ".tmp";
        using (var writer = new BinaryWriter(File.Create(temporary)))
        {
            writer.Write(Mark);
            writer.Write(Count);
            writer.Write(Dimension);
            foreach (string image in _paths) writer.Write(image);
            writer.Write(MemoryMarshal.AsBytes(_directions.AsSpan()));
        }
        File.Move(temporary, path, overwrite: true);
    }

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
            var directions = new float[paths.Length * reader.ReadInt32()];
            for (int i = 0; i < paths.Length; i++) paths[i] = reader.ReadString();
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(directions.AsSpan()));
            return new EmbeddedImages(paths, directions);
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"{path} is no index, or it is truncated.", e);
        }
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
