using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>The probabilities of all classes.</summary>
internal sealed class ScoreOutput(LabelClasses classes) : VectorOutput("Score", new VectorDataViewType(NumberDataViewType.Single, classes.Count))
{
    public override DataViewSchema.Annotations AnnotationsOver(DataViewSchema input)
    {
        var annotations = ClassificationOutputs.Common(input, "Score");
        if (classes.AreText)
            classes.AddTo(annotations, "SlotNames");
        classes.AddTo(annotations, "TrainingLabelValues");
        return annotations.ToAnnotations();
    }
}
