using Microsoft.ML.Data;

namespace ExistingApp;

/// <summary>A folder of images, found by likeness.</summary>
internal sealed class Gallery
{
    private const int Shown = 6, MaxImages = 2000;
    private static readonly string[] s_extensions = [".jpg", ".jpeg", ".png", ".bmp", ".gif"];
    private readonly Model<Prediction> _model;
    private readonly List<(string Name, string File, float[] Direction)> _images = [];

    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidOperationException">There is no image in it.</exception>
    public Gallery(string modelPath, string folder)
    {
        _model = new Model<Prediction>(modelPath);
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Where(f => s_extensions.Contains(Path.GetExtension(f), StringComparer.OrdinalIgnoreCase)).Take(MaxImages))
        {
            try
            {
                using MLImage image = MLImage.CreateFromFile(file);
                _images.Add((Path.GetRelativePath(folder, file), Path.GetFullPath(file), Direction(image)));
            }
            catch (Exception e) when (e is IOException or ArgumentException or InvalidOperationException)
            {
                Console.Error.WriteLine($"warning: {file} is left out: {e.Message}");
            }
        }
        if (_images.Count == 0) throw new InvalidOperationException($"There is no image in {folder}.");
    }

    public int Count => _images.Count;

    /// <summary>The path of an image; null if there is none of that number.</summary>
    public string? File(int number) => number >= 0 && number < _images.Count ? _images[number].File : null;

    public IReadOnlyList<Neighbor> Similar(MLImage image)
    {
        float[] asked = Direction(image);
        return [.. _images.Select((other, i) => new Neighbor(other.Name, $"gallery/{i}", Cosine(asked, other.Direction)))
            .OrderByDescending(n => n.Similarity).Take(Shown)];
    }

    private float[] Direction(MLImage image)
    {
        float[] embedding = _model.Predict(image).Embedding;
        float length = MathF.Sqrt(embedding.Sum(x => x * x));
        return [.. embedding.Select(x => x / length)];
    }

    private static float Cosine(float[] a, float[] b)
    {
        float sum = 0;
        for (int i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    private sealed class Prediction
    {
        public float[] Embedding { get; set; } = [];
    }
}
