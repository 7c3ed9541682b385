using Microsoft.Extensions.ObjectPool;
using Microsoft.ML;
using Microsoft.ML.Data;

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
        try
        {
            return engine.Predict(new ImageRow { Image = image });
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
