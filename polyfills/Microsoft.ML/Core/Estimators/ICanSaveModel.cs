namespace Microsoft.ML;

/// <summary>What <c>Model.Save</c> can write.</summary>
public interface ICanSaveModel
{
    void Save(ModelSaveContext ctx);
}
