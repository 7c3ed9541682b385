using System.Runtime.CompilerServices;
using Microsoft.ML.Trainers;
using Microsoft.ML.Transforms.Image;
using Smae.Export;

namespace Smae.MLNet;

/// <summary>
/// Saves an image model as a chain of ML.NET's own transformers: ML.NET loads only types that its own assemblies register, so a type of ours in a model file
/// could never be read again, while such a chain loads in any application with Microsoft.ML, Microsoft.ML.ImageAnalytics, Microsoft.ML.OnnxTransformer and ONNX
/// Runtime.
/// </summary>
internal sealed class SavedChain(ImageScoring scoring)
{
    // Columns of the chain that it drops again. Named so that they are nobody else's.
    private const string
        File = "smae.path", Loaded = "smae.image", Resized = "smae.resized", Pixels = "smae.pixels", Logits = "smae.logits", Picture = "smae.picture";

    /// <summary>Saves the chain for a model whose numbers are the logits of classes: it gives PredictedLabel and Score.</summary>
    public void SaveClasses(ModelSaveContext context, LabelClasses classes) => Save(context, Logits, (_, _) => SoftmaxPredictor.Create(Logits, classes));

    /// <summary>Saves the chain for an autoencoder that makes pictures.</summary>
    public void SavePictures(ModelSaveContext context, string outputColumnName, MaskedPictures pictures)
    {
        var (height, width) = (scoring.Model.Preprocessing.Height, scoring.Model.Preprocessing.Width * pictures.Parts.Count);
        Save(
            context, Picture, (ml, data) => ml.ConvertToImage(height, width, outputColumnName, Picture, interleavedColors: true).Fit(data),
            pictures);
    }

    /// <summary>Saves the chain: that of an embedding, the value of a column, needs no more.</summary>
    /// <param name="valueColumn">The column that the ONNX model gives.</param>
    /// <param name="last">Makes what comes after the ONNX model, which the value column is dropped after; null is nothing.</param>
    /// <param name="pictures">What pictures are made of, by an autoencoder; null where the model's numbers are the value.</param>
    public void Save(
        ModelSaveContext context, string valueColumn, Func<TransformsCatalog, IDataView, ITransformer>? last = null, MaskedPictures? pictures = null)
    {
        if (scoring.SourceKind == ImageColumnKind.Bytes)
            throw new NotSupportedException(
                $"Column '{scoring.InputColumnName}' holds the bytes of image files, and ML.NET has no transform that decodes these: a saved " +
                "model could not read them. Fit on a column of paths or of MLImage, and save that.");
        if (ImageFitter.KindOf(scoring.Model.Preprocessing.Resize) is not { } resizing)
            throw new NotSupportedException(
                $"The model's images are resized by ResizeMode.{scoring.Model.Preprocessing.Resize}, where ML.NET's own ResizeImages picks single pixels: a "
                + "saved model would see others than it was trained on. Train with ResizeMode.Crop or ResizeMode.Pad to save it, or export it as ONNX.");
        DirectoryInfo temporary = Directory.CreateTempSubdirectory("smae-save-");
        try
        {
            string whole = Path.Combine(temporary.FullName, "model.onnx"), single = Path.Combine(temporary.FullName, "pipeline.onnx");
            SavedOutput saved = scoring.Model.WriteOnnx(whole);
            if (pictures is null) PipelineModel.Write(whole, single, Pixels, saved.Output, valueColumn, saved.Map);
            else PipelineModel.WritePictures(whole, single, Pixels, valueColumn, pictures);
            // OnnxTransformer reads its file again when it saves: the chain is saved while the file is there.
            using TransformerChain<ITransformer> chain = Chain(single, resizing, valueColumn, last);
            ((ICanSaveModel)chain).Save(context);
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    private TransformerChain<ITransformer> Chain(
        string file, ImageResizingEstimator.ResizingKind resizing, string valueColumn, Func<TransformsCatalog, IDataView, ITransformer>? last)
    {
        bool loads = scoring.SourceKind == ImageColumnKind.Path;
        TransformsCatalog ml = new MLContext().Transforms;
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(scoring.InputColumnName, loads ? TextDataViewType.Instance : new ImageDataViewType());
        IDataView data = new SchemaOnlyView(schema.ToSchema());
        List<ITransformer> steps = [];
        List<string> passing = [Resized, Pixels];

        void Add(ITransformer step)
        {
            steps.Add(step);
            data = step.Transform(data);
        }

        if (loads)
        {
            // Of an empty path LoadImages makes no image, and ResizeImages then hands on the one before, disposed: an error that says nothing. So it is told
            // to load a file whose name says it, which is not there.
            const string named = "path => path == \"\" ? \"(the path of this row's image is empty)\" : path";
            Add(ml.Expression(File, named, scoring.InputColumnName).Fit(data));
            Add(ml.LoadImages(Loaded, "", File).Fit(data));
            passing.AddRange([File, Loaded]);
        }
        ImagePreprocessing size = scoring.Model.Preprocessing;
        Add(ml.ResizeImages(Resized, size.Width, size.Height, loads ? Loaded : scoring.InputColumnName, resizing).Fit(data));
        const ImagePixelExtractingEstimator.ColorBits colors = ImagePixelExtractingEstimator.ColorBits.All;
        Add(ml.ExtractPixels(Pixels, Resized, colors, interleavePixelColors: true, outputAsFloatArray: false).Fit(data));
        Add(ml.ApplyOnnxModel([valueColumn], [Pixels], file).Fit(data));
        if (last is not null)
        {
            Add(last(ml, data));
            passing.Add(valueColumn);
        }
        Add(ml.DropColumns([.. passing]).Fit(data));
        return new TransformerChain<ITransformer>([.. steps]);
    }
}

/// <summary>
/// A predictor of ML.NET's own that makes PredictedLabel and Score of logits, with the names of the classes. ML.NET has no transformer for that, but its
/// maximum-entropy classifier is the softmax of a linear map: with the identity as its map (a sparse matrix, so that many classes cost little) it is the
/// softmax alone. Only a trainer makes one by public means, so it is made by the constructors that the trainer calls.
/// </summary>
internal static class SoftmaxPredictor
{
    /// <param name="logitsColumnName">The column of logits, <c>Vector&lt;Single&gt;</c> with a number for each class.</param>
    public static ITransformer Create(string logitsColumnName, LabelClasses classes)
    {
        int count = classes.Count;
        IHostEnvironment environment = new MLContext();
        VBuffer<float>[] identity = [.. Enumerable.Range(0, count).Select(i => new VBuffer<float>(count, 1, [1f], [i]))];
        MaximumEntropyModelParameters model = Model(environment, identity, new float[count], count, count, null, null);

        var annotations = new DataViewSchema.Annotations.Builder();
        classes.AddTo(annotations, "KeyValues");
        var schema = new DataViewSchema.Builder();
        schema.AddColumn("Label", new KeyDataViewType(typeof(uint), count), annotations.ToAnnotations());
        schema.AddColumn(logitsColumnName, new VectorDataViewType(NumberDataViewType.Single, count));
        return Predictor<MaximumEntropyModelParameters>.Create(environment, model, schema.ToSchema(), logitsColumnName, "Label", "Score", "PredictedLabel");
    }

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern MaximumEntropyModelParameters Model(
        IHostEnvironment environment, VBuffer<float>[] weights, float[] bias, int classes, int features, string[]? labelNames,
        ModelStatisticsBase? statistics);

    private static class Predictor<TModel> where TModel : class
    {
        [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
        public static extern MulticlassPredictionTransformer<TModel> Create(
            IHostEnvironment environment, TModel model, DataViewSchema schema, string feature, string label, string score, string predictedLabel);
    }
}
