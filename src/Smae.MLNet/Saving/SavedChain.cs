using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Smae.Export;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>
/// Saves an image model as a chain of ML.NET's own transformers: ML.NET loads only types that its own assemblies register, so a type of ours in a model
/// file could never be read again, while such a chain loads in any application with Microsoft.ML, Microsoft.ML.ImageAnalytics,
/// Microsoft.ML.OnnxTransformer and ONNX Runtime.
/// </summary>
/// <param name="inputColumnName">The column of images.</param>
/// <param name="kind">What it holds.</param>
/// <param name="model">The model.</param>
internal sealed class SavedChain(string inputColumnName, ImageColumnKind kind, ISavableModel model)
{
    // Columns of the chain that it drops again. Named so that they are nobody else's.
    private const string Loaded = "smae.image", Resized = "smae.resized", Pixels = "smae.pixels", Logits = "smae.logits",
        Picture = "smae.picture";

    /// <summary>Saves the chain for a model whose numbers are the value of a column.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="outputColumnName">The column.</param>
    /// <exception cref="NotSupportedException">ML.NET has nothing of its own that makes images of such a column.</exception>
    public void Save(ModelSaveContext context, string outputColumnName) => Save(
        context, outputColumnName, (saved, whole, single) => PipelineModel.Write(whole, single, Pixels, saved.Output, outputColumnName, saved.Map),
        last: null);

    /// <summary>Saves the chain for a model whose numbers are the logits of classes: it gives PredictedLabel and Score.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="classes">The classes.</param>
    /// <exception cref="NotSupportedException">ML.NET has nothing of its own that makes images of such a column.</exception>
    public void Save(ModelSaveContext context, LabelClasses classes)
    {
        Save(
            context, Logits, (saved, whole, single) => PipelineModel.Write(whole, single, Pixels, saved.Output, Logits, saved.Map),
            (_, _) => SoftmaxPredictor.Create(Logits, classes));
    }

    /// <summary>Saves the chain for an autoencoder that makes pictures.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="outputColumnName">The column of pictures.</param>
    /// <param name="pictures">The masks, and what is shown.</param>
    /// <exception cref="NotSupportedException">ML.NET has nothing of its own that makes images of such a column.</exception>
    public void Save(ModelSaveContext context, string outputColumnName, MaskedPictures pictures)
    {
        (int height, int width) = (model.Preprocessing.Height, model.Preprocessing.Width * pictures.Parts.Count);
        Save(
            context, Picture, (_, whole, single) => PipelineModel.WritePictures(whole, single, Pixels, Picture, pictures),
            (ml, data) => ml.ConvertToImage(height, width, outputColumnName, Picture, interleavedColors: true).Fit(data));
    }

    private void Save(
        ModelSaveContext context, string valueColumn, Action<SavedOutput, string, string> write, Func<TransformsCatalog, IDataView, ITransformer>? last)
    {
        if (kind == ImageColumnKind.Bytes)
            throw new NotSupportedException(
                $"Column '{inputColumnName}' holds the bytes of image files, and ML.NET has no transform that decodes these: a saved model could not read them. " +
                "Fit on a column of paths or of MLImage, and save that.");
        DirectoryInfo temporary = Directory.CreateTempSubdirectory("smae-save-");
        try
        {
            string whole = Path.Combine(temporary.FullName, "model.onnx"), single = Path.Combine(temporary.FullName, "pipeline.onnx");
            write(model.WriteOnnx(whole), whole, single);
            // OnnxTransformer reads its file again when it saves: the chain is saved while the file is there.
            using TransformerChain<ITransformer> chain = Chain(single, valueColumn, last);
            ((ICanSaveModel)chain).Save(context);
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    private TransformerChain<ITransformer> Chain(string file, string valueColumn, Func<TransformsCatalog, IDataView, ITransformer>? last)
    {
        bool loads = kind == ImageColumnKind.Path;
        TransformsCatalog ml = new MLContext().Transforms;
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(inputColumnName, loads ? TextDataViewType.Instance : new ImageDataViewType());
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
            Add(ml.LoadImages(Loaded, "", inputColumnName).Fit(data));
            passing.Add(Loaded);
        }
        ImagePreprocessing size = model.Preprocessing;
        Add(ml.ResizeImages(Resized, size.Width, size.Height, loads ? Loaded : inputColumnName, ImageResizer.KindOf(size.Resize)).Fit(data));
        var colors = PipelineModel.ExtractedChannels(size) == 4 ? ImagePixelExtractingEstimator.ColorBits.All : ImagePixelExtractingEstimator.ColorBits.Rgb;
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
