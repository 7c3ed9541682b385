using Microsoft.Extensions.ObjectPool;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace ExistingApp;

/// <summary>A saved model that many requests use at once: a prediction engine serves one caller at a time, so there are as many as callers.</summary>
internal sealed class Model<TOutput> where TOutput : class, new()
{
    private readonly ObjectPool<PredictionEngine<ImageRow, TOutput>> _engines;

    public Model(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no model {path}.", path);
        var ml = new MLContext();
        ITransformer transformer = ml.Model.Load(path, out _);
        Schema = transformer.GetOutputSchema(ml.Data.LoadFromEnumerable(Array.Empty<ImageRow>()).Schema);
        _engines = new DefaultObjectPool<PredictionEngine<ImageRow, TOutput>>(new Policy(ml, transformer), Environment.ProcessorCount);
    }

    /// <summary>What the model gives, hidden columns included.</summary>
    public DataViewSchema Schema { get; }

    public TOutput Predict(MLImage image)
    {
        PredictionEngine<ImageRow, TOutput> engine = _engines.Get();
        // ML.NET disposes an image that has the model's size (dotnet/machinelearning#7444): it gets a copy, and the caller's stays whole.
        using MLImage copy = MLImage.CreateFromPixels(image.Width, image.Height, image.PixelFormat, image.Pixels);
        try
        {
            return engine.Predict(new ImageRow { Image = copy });
        }
        finally
        {
            _engines.Return(engine);
        }
    }

    private sealed class Policy(MLContext ml, ITransformer transformer) : PooledObjectPolicy<PredictionEngine<ImageRow, TOutput>>
    {
        public override PredictionEngine<ImageRow, TOutput> Create() =>
            ml.Model.CreatePredictionEngine<ImageRow, TOutput>(transformer, new PredictionEngineOptions { OwnsTransformer = false });

        public override bool Return(PredictionEngine<ImageRow, TOutput> engine) => true;
    }
}

/// <summary>What both models take: the column <c>Image</c>, of any size.</summary>
internal sealed class ImageRow
{
    [ImageType(1, 1)]   // ML.NET wants a size here; the models resize whatever image it is
    public MLImage? Image { get; set; }
}

/// <summary>Says what is on an image.</summary>
internal sealed class Classifier
{
    private const int Shown = 5;
    private readonly Model<Prediction> _model;
    private readonly string[] _labels;

    /// <exception cref="InvalidOperationException">The model is no classifier.</exception>
    public Classifier(string path)
    {
        _model = new Model<Prediction>(path);
        // The names of the classes in the order of the scores. A later MapKeyToValue hides this column but does not take it away.
        foreach (DataViewSchema.Column column in _model.Schema.Where(c => c.Name == "PredictedLabel" && c.Type is KeyDataViewType))
        {
            VBuffer<ReadOnlyMemory<char>> names = default;
            column.Annotations.GetValue("KeyValues", ref names);
            _labels = [.. names.DenseValues().Select(name => name.ToString())];
        }
        if (_labels is null) throw new InvalidOperationException($"{path} is no classifier: it has no column PredictedLabel with the names of its classes.");
    }

    public int ClassCount => _labels.Length;

    public Classification Classify(MLImage image)
    {
        float[] scores = _model.Predict(image).Score;
        ClassProbability[] likeliest =
            [.. scores.Select((score, i) => new ClassProbability(_labels[i], score)).OrderByDescending(c => c.Probability).Take(Shown)];
        return new Classification(likeliest[0].Label, likeliest);
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}

/// <summary>The class of an image, and the likeliest classes in order.</summary>
internal sealed record Classification(string Label, IReadOnlyList<ClassProbability> Likeliest);

/// <summary>A class and how likely it is, 0 to 1.</summary>
internal sealed record ClassProbability(string Label, float Probability);

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
        // A link may lead back, and would be followed dozens of times.
        var all = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        foreach (string file in Directory.EnumerateFiles(folder, "*", all).Order(StringComparer.Ordinal)
            .Where(f => s_extensions.Contains(Path.GetExtension(f), StringComparer.OrdinalIgnoreCase)).Take(MaxImages))
        {
            try
            {
                if (new FileInfo(file).Length == 0) throw new InvalidDataException("it is empty, or a pipe or device, which would be waited for.");
                using FileStream content = System.IO.File.OpenRead(file);
                using MLImage image = ImageUpload.Decode(content) ?? throw new InvalidDataException("it is no image, or only a part of one");
                _images.Add((Path.GetRelativePath(folder, file), Path.GetFullPath(file), Direction(image)));
            }
            catch (Exception e) when (e is IOException or InvalidDataException or BadImageException)
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

/// <summary>An image of the gallery and how like it is to the one asked about: the cosine of their embeddings.</summary>
internal sealed record Neighbor(string Name, string Url, float Similarity);
